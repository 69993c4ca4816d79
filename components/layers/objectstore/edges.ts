/** Who talks to the object store; metrics are monitoring's edges. Pure. */
import { tcp, type Edge, type EdgeInput, type Peer } from "../../core/edges";
import { NAMESPACES, PORTS, SERVICES, synapseService } from "../../core/names";
import { callsTo, WORKER_CLASSES } from "../../domain/workerClasses";
import type { S3Settings } from "../../settings/types";

export function objectStoreEdges({ settings }: EdgeInput): Edge[] {
  const { objectStore, backups } = settings;
  const media = WORKER_CLASSES.filter((cls) => callsTo(cls, "media-store")).map((cls): Peer => ({
    component: synapseService(cls),
    namespace: NAMESPACES.matrix,
  }));
  // The operator makes these pods and labels them.
  const postgres: Peer = {
    labels: { "cnpg.io/cluster": SERVICES.postgresCluster },
    namespace: NAMESPACES.matrix,
    label: SERVICES.postgresCluster,
  };
  const s3 = tcp(PORTS.s3);
  const edges: Edge[] = [];
  const outside = (from: Peer, s: S3Settings, why: string): void => {
    edges.push({ from, to: { world: true }, ports: tcp(endpointPort(s.endpoint)), why });
  };

  if (objectStore.kind === "minio") {
    const minio: Peer = { component: SERVICES.minioHeadless, namespace: NAMESPACES.minio };
    edges.push(
      { from: minio, to: minio, ports: s3, why: "shards, locks and healing between MinIO's nodes" },
      ...media.map((from): Edge => ({ from, to: minio, ports: s3, why: "media" })),
      {
        from: { component: "minio-provision", namespace: NAMESPACES.minio },
        to: minio,
        ports: s3,
        why: "buckets, users and policies",
      },
    );
    if (backups.enabled && backups.target.kind === "object-store")
      edges.push({ from: postgres, to: minio, ports: s3, why: "base backups and write-ahead log" });
  } else {
    for (const from of media) outside(from, objectStore, "media, in an external S3");
    if (backups.enabled && backups.target.kind === "object-store")
      outside(postgres, objectStore, "base backups and write-ahead log, in an external S3");
  }
  if (backups.enabled && backups.target.kind === "s3")
    outside(postgres, backups.target, "base backups and write-ahead log, in an external S3");
  return edges;
}

function endpointPort(endpoint: string): number {
  const url = new URL(endpoint);
  return url.port ? Number(url.port) : url.protocol === "http:" ? 80 : 443;
}
