/** Scrape targets of Synapse's Redis. Pure. */
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

export function redisTargets(): Target[] {
  return [
    {
      name: "redis-synapse",
      namespace: NAMESPACES.matrix,
      pods: own(SERVICES.redisSynapse),
      port: PORTS.redisExporter,
      paths: ["/metrics"],
      layer: "redis",
    },
    {
      name: "redis-synapse-proxy",
      namespace: NAMESPACES.matrix,
      pods: own(SERVICES.redisSynapseMaster),
      port: PORTS.routerHealth,
      paths: ["/metrics"],
      layer: "redis-proxy",
    },
  ];
}
