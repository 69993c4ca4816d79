/** Who talks to PostgreSQL and its poolers, and to whom they talk. Pure. */
import { tcp, type Edge, type EdgeInput, type Peer } from "../../core/edges";
import { NAMESPACES, PORTS, SERVICES, synapseService } from "../../core/names";
import { INSTANCE_PORTS } from "./cnpgCluster";

const { matrix, cnpg } = NAMESPACES;
/** Instances and the Jobs that create them. */
export const INSTANCES: Peer = { component: SERVICES.postgresCluster, namespace: matrix };
export const POOLERS: Peer = { component: SERVICES.pooler, namespace: matrix };
const OPERATOR: Peer = { component: "cnpg-controller-manager", namespace: cnpg };
const API = tcp(6443);

/** Backups are the object store's edges, metrics are monitoring's. */
export function postgresEdges({ plan }: EdgeInput): Edge[] {
  return [
    {
      from: INSTANCES,
      to: INSTANCES,
      ports: tcp(PORTS.postgres, INSTANCE_PORTS.status),
      why: "replication, new copies, and whether a primary is isolated",
    },
    {
      from: INSTANCES,
      to: { apiServer: true },
      ports: API,
      why: "the instance manager reads its Cluster and holds the primary's lease",
    },
    {
      from: OPERATOR,
      to: INSTANCES,
      ports: tcp(INSTANCE_PORTS.status),
      why: "the state of each instance: who may be promoted",
    },
    // `kubectl cnpg` and probes of other tools come through the API server's proxy.
    {
      from: { apiServer: true },
      to: INSTANCES,
      ports: tcp(INSTANCE_PORTS.status),
      why: "the operator's command-line tool, through the API server",
    },
    { from: POOLERS, to: INSTANCES, ports: tcp(PORTS.postgres), why: "sessions of Synapse's processes" },
    { from: POOLERS, to: { apiServer: true }, ports: API, why: "the instance manager reads its Pooler" },
    ...plan.synapse.pools.map((pool): Edge => ({
      from: { component: synapseService(pool.class), namespace: matrix },
      to: POOLERS,
      ports: tcp(PORTS.postgres),
      why: "Synapse's database",
    })),
  ];
}
