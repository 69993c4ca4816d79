/** PostgreSQL's resources, and the cost of its failures. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, tied, type Demand } from "../../sizing/demands";
import { MEASURED } from "../../sizing/failures";
import type { FailureCost, PlanParts } from "../../sizing/types";

export const postgresDemands = (_settings: Settings, { postgres }: PlanParts): Demand[] => [
  tied("postgres", "database", { ...postgres, replicas: postgres.instances }),
  floating("postgres-pooler", postgres.pooler),
];

export function postgresServices({ plan: { postgres: pg } }: PlanInput): ServiceRow[] {
  const volumes = `${pg.storageGiB.toLocaleString("en-US")} GiB data and ${pg.walStorageGiB.toLocaleString("en-US")} GiB WAL each`;
  return [
    {
      service: "PostgreSQL",
      instances: pg.instances,
      cpu: pg.cpu,
      memoryMiB: pg.memoryMiB,
      what: `shared_buffers ${pg.parameters.shared_buffers}, ${volumes}`,
    },
    {
      service: "PgBouncer",
      instances: pg.pooler.replicas,
      cpu: pg.pooler.cpu,
      memoryMiB: pg.pooler.memoryMiB,
      what: `session mode, ${pg.pooler.maxClientConnections.toLocaleString("en-US")} clients each`,
    },
  ];
}

export const postgresFailures = (): FailureCost[] => [
  {
    failure: "PostgreSQL primary: pod",
    effect: "sends fail or wait, reads from caches go on; no acknowledged write is lost",
    seconds: 32,
    source: `${MEASURED}: 21 to 32 s until writes (failover within the primary's lease)`,
  },
  {
    failure: "PostgreSQL primary: node",
    effect: "as its pod; the instance returns with its node",
    seconds: 60,
    source: `target; the pod's failover ${MEASURED}, the loss of a node adds its detection`,
  },
  { failure: "PostgreSQL primary: node drained", effect: "switchover", seconds: 11, source: `${MEASURED}: 10.7 s` },
  {
    failure: "PostgreSQL pooler: pod",
    effect: "its sessions break and reconnect through another",
    seconds: 8,
    source: `${MEASURED}: 6 to 8 s`,
  },
];
