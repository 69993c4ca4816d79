/** Connections that MinIO's pods open. Pure. */
import { tcp, type Edge, type Peer } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { hasMinio } from "../../domain/mediaStore";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

/** MinIO's pods, as the other end of a connection. */
export const MINIO: Peer = { component: SERVICES.minioHeadless, namespace: NAMESPACES.minio };

export function objectStoreEdges({ settings }: PlanInput): Edge[] {
  if (!hasMinio(settings)) return [];
  const provision: Peer = { component: "minio-provision", namespace: NAMESPACES.minio };
  const s3 = tcp(PORTS.s3);
  return [
    { from: MINIO, to: MINIO, ports: s3, why: "shards, locks and healing between MinIO's nodes" },
    { from: provision, to: MINIO, ports: s3, why: "buckets, users and policies" },
  ];
}
