/** Scrape targets of PostgreSQL and its poolers. Pure. */
import type { Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

export function postgresTargets(): Target[] {
  return [
    {
      name: "postgres",
      namespace: NAMESPACES.matrix,
      pods: { labels: { "cnpg.io/cluster": SERVICES.postgresCluster, "cnpg.io/podRole": "instance" } },
      port: PORTS.postgresMetrics,
      paths: ["/metrics"],
      job: "postgres",
      layer: "postgres",
    },
    {
      name: "pooler",
      namespace: NAMESPACES.matrix,
      pods: { labels: { "cnpg.io/poolerName": SERVICES.pooler } },
      port: PORTS.poolerMetrics,
      paths: ["/metrics"],
      job: "pooler",
      layer: "pooler",
    },
  ];
}
