/** PostgreSQL's resources, and the cost of its failures. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { floating, tied, type Demand } from "../../sizing/demands";
import { MEASURED } from "../../sizing/failures";
import { BACKUPS } from "../../sizing/anchors";
import { isLocal } from "../../domain/localVolumes";
import { walApart } from "../hosts/walVolume";
import { OFFSITE_ABOVE } from "./checks";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, Plan, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, replicasIn, type LostZone } from "../../sizing/zones";

export const postgresDemands = (_settings: Settings, { postgres }: PlanParts): Demand[] => [
  tied("postgres", "database", { ...postgres, replicas: postgres.instances }, "overrides.postgres"),
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

/** What stays true of backups until somebody acts. */
export function postgresNotes({ settings, plan: { backups, postgres } }: PlanInput): string[] {
  if (!backups) return ["Backups are off (backups.enabled): a database that is lost does not come back."];
  const notes: string[] = [];
  if (backups.onSite)
    notes.push(
      `Backups are in the MinIO of the same hosts: the loss of the site takes the database and its backups together${settings.ccu > OFFSITE_ABOVE ? " (accepted: backups.acceptNoOffsite)" : ""}. backups.target names an S3 elsewhere.`,
    );
  if (!walApart(settings) && isLocal(settings.storage.database))
    notes.push(
      `The WAL shares the file system of the data, because ${settings.prepareHosts ? "the provisioner of local volumes or its folder is not this stack's" : "prepareHosts is false"}: WAL that cannot be archived fills both. Bound it yourself, ${postgres.walStorageGiB} GiB on each database host.`,
    );
  return notes;
}

function restoreFailure({ backups }: Plan): FailureCost[] {
  if (!backups) return [];
  return [
    {
      failure: "PostgreSQL: every instance, or its data",
      effect: `restored from the archive by hand; nothing is served meanwhile${backups.onSite ? ", and nothing is left where the site is lost" : ""}`,
      seconds: backups.restoreSeconds,
      source: `estimate, not measured at size: ${backups.databaseGiB} GiB at ${BACKUPS.restoreMiBPerSecond} MiB/s, then the WAL since the last base backup at ${BACKUPS.replayMiBPerSecond} MiB/s`,
    },
  ];
}

export const postgresFailures = ({ plan }: PlanInput): FailureCost[] => [
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
  ...restoreFailure(plan),
];

/**
 * Whether writes go on, after a failover if need be, when so many instances are lost at once, the primary among them:
 * CloudNativePG must be sure that a standby that is left has every acknowledged write (R + W > N), and the new primary
 * needs as many standbys as must confirm a write.
 */
export function survivesLoss({ instances, syncStandbys }: PlanParts["postgres"], lost: number): boolean {
  const left = instances - lost;
  return left + syncStandbys > instances - 1 && left - 1 >= syncStandbys;
}

/** PostgreSQL and its poolers. */
export function postgresZoneLoss({ settings, plan: { postgres: pg } }: PlanInput, zone: LostZone): ZoneEffect[] {
  const lost = replicasIn(zone.name, {
    hosts: hostsOf(settings, "database"),
    replicas: pg.instances,
    onePerHost: true,
  });
  return [
    ...(lost > 0 ? [instancesLost(pg, lost)] : []),
    ...equalReplicas(zone, {
      part: "PostgreSQL pooler",
      hosts: hostsOf(settings, "application"),
      replicas: pg.pooler.replicas,
      effect: "its sessions there break and reconnect through another",
      seconds: 8,
      source: `${MEASURED}: 6 to 8 s with one pod`,
      stands: "Synapse reaches no database",
      remedy: "Put application hosts into several zones",
    }),
  ];
}

function instancesLost(pg: PlanParts["postgres"], lost: number): ZoneEffect {
  const part = "PostgreSQL";
  const of = `${lost} of ${pg.instances} instances are there, ${pg.syncStandbys} of ${pg.instances - 1} standbys confirm a write`;
  if (survivesLoss(pg, lost))
    return {
      part,
      outcome: "recovers",
      effect: "at worst a failover; no acknowledged write is lost",
      seconds: 60,
      source: `target; the pod's failover measured. ${of}`,
    };
  return {
    part,
    outcome: "stops",
    effect:
      lost > pg.syncStandbys
        ? "nothing can be sent; acknowledged writes may exist there only, so a restore elsewhere may lack the last ones"
        : "nothing can be sent; no acknowledged write is lost",
    seconds: 0,
    source: of,
    remedy: "Put the database hosts into three zones, so that none has half of the instances",
  };
}
