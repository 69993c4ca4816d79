/** Scrape targets of the SFU and its Redis. Pure. */
import type { PlanInput } from "../../core/layer";
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";

export function rtcTargets({ plan }: PlanInput): Target[] {
  if (!plan.rtc) return [];
  return [
    {
      name: "livekit",
      namespace: NAMESPACES.livekit,
      pods: own(SERVICES.livekit),
      port: PORTS.livekitMetrics,
      paths: ["/metrics"],
      layer: "livekit",
      hostNetwork: true,
    },
    {
      name: "redis-livekit",
      namespace: NAMESPACES.livekit,
      pods: own(SERVICES.redisLivekit),
      port: PORTS.redisExporter,
      paths: ["/metrics"],
      layer: "redis",
    },
    {
      name: "redis-livekit-proxy",
      namespace: NAMESPACES.livekit,
      pods: own(SERVICES.redisLivekitMaster),
      port: PORTS.routerHealth,
      paths: ["/metrics"],
      layer: "redis-proxy",
    },
  ];
}
