/** Connections of PostgreSQL, its poolers and the operator. Pure. */
import { outgoingTo, tcp, type Edge, type Peer } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { otherCentres } from "../../domain/dataCentre";
import { httpTo } from "../cluster/reach/proxy";
import { MINIO } from "../objectstore/edges";
import { INSTANCE_PORTS } from "./cnpgCluster";
import { streamSources } from "./topology";

const { matrix, cnpg } = NAMESPACES;
/** Instances, and the Jobs that create them. */
export const INSTANCES: Peer = { component: SERVICES.postgresCluster, namespace: matrix };
/** The operator sets the component label of its poolers itself, so a label that only they have identifies them. */
export const POOLERS: Peer = {
  labels: { "cnpg.io/poolerName": SERVICES.pooler },
  namespace: matrix,
  label: SERVICES.pooler,
};
const OPERATOR: Peer = { component: "cnpg-controller-manager", namespace: cnpg };
const API = tcp(6443);

export function postgresEdges({ settings }: PlanInput): Edge[] {
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
    // `kubectl cnpg` and other tools connect through the API server's proxy.
    {
      from: { apiServer: true },
      to: INSTANCES,
      ports: tcp(INSTANCE_PORTS.status),
      why: "the operator's command-line tool, through the API server",
    },
    { from: POOLERS, to: INSTANCES, ports: tcp(PORTS.postgres), why: "sessions of Synapse's processes" },
    { from: POOLERS, to: { apiServer: true }, ports: API, why: "the instance manager reads its Pooler" },
    ...importEdges(settings),
    ...backupEdges(settings),
    ...centreEdges(settings),
  ];
}

/** The databases of the other data centres, and their archives: who follows and who is followed changes. */
function centreEdges(settings: PlanInput["settings"]): Edge[] {
  const others = otherCentres(settings);
  if (others.length === 0) return [];
  return [
    {
      from: { cidrs: streamSources(settings), label: "other data centres" },
      to: INSTANCES,
      ports: tcp(PORTS.postgres),
      why: "the databases of other data centres follow this one, and their Synapse asks who is the primary",
    },
    ...others.flatMap(({ name, archive, stream }): Edge[] => [
      {
        from: INSTANCES,
        ...outgoingTo(stream.host, stream.port, settings.cluster.domain),
        why: `the database of ${name}, which is followed while it is the primary`,
      },
      { from: INSTANCES, ...httpTo(archive.endpoint, settings), why: `the archive of ${name}` },
    ]),
  ];
}

function importEdges({ database: { importFrom }, cluster }: PlanInput["settings"]): Edge[] {
  if (!importFrom) return [];
  return [
    {
      from: INSTANCES,
      ...outgoingTo(importFrom.host, importFrom.port, cluster.domain),
      why: "the old server's database, which a new one is read from once",
    },
  ];
}

function backupEdges(settings: PlanInput["settings"]): Edge[] {
  const { backups, objectStore } = settings;
  if (!backups.enabled) return [];
  const target = backups.target.kind === "object-store" ? objectStore : backups.target;
  return target.kind === "s3"
    ? [
        {
          from: INSTANCES,
          ...httpTo(target.endpoint, settings),
          why: "base backups and write-ahead log, in an external S3",
        },
      ]
    : [{ from: INSTANCES, to: MINIO, ports: tcp(PORTS.s3), why: "base backups and write-ahead log" }];
}
