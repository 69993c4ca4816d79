/** Scrape targets of MinIO. Pure. */
import type { PlanInput } from "../../core/layer";
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

export function objectStoreTargets({ plan }: PlanInput): Target[] {
  if (!plan.minio) return [];
  return [
    {
      name: "minio",
      namespace: NAMESPACES.minio,
      pods: own(SERVICES.minioHeadless),
      port: PORTS.s3,
      paths: ["/minio/v2/metrics/cluster", "/minio/v2/metrics/node"],
      layer: "minio",
    },
  ];
}
