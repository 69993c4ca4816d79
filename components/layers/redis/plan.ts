/** Redis' resources, and the cost of its failures. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import { floating, tied, type Demand } from "../../sizing/demands";
import { LOST_NODE_TOLERATION, MEASURED, NODE_LOST } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { replicasIn, type LostZone } from "../../sizing/zones";
import { minReplicas } from "./topology";

/**
 * Resources of one set of Redis and its proxy. Sentinel (30 millicores measured, with its exec probes) and the exporter
 * run beside each instance. Two instances of one set never share a host.
 */
export const redisSetDemands = (component: string, { redis }: PlanParts): Demand[] => [
  tied(component, "application", { replicas: redis.instances, cpu: redis.cpu + 0.07, memoryMiB: redis.memoryMiB + 80 }),
  floating(`${component}-proxy`, redis.proxy),
];

export const redisDemands = (_settings: Settings, parts: PlanParts): Demand[] =>
  redisSetDemands(SERVICES.redisSynapse, parts);

export const redisServices = ({ settings, plan: { redis } }: PlanInput): ServiceRow[] => [
  {
    service: settings.rtc.enabled ? "Redis + Sentinel (twice)" : "Redis + Sentinel",
    instances: redis.instances,
    cpu: redis.cpu,
    memoryMiB: redis.memoryMiB,
    what: `quorum ${redis.quorum}`,
  },
];

export const redisFailures = (): FailureCost[] => [
  {
    failure: "Redis master: pod",
    effect: "live delivery pauses twice, no send fails, nothing is lost",
    seconds: 10,
    source: `${MEASURED}: pauses of 5.3 and 4.6 s, slowest send 9.6 s`,
  },
];

/** One set of Redis: a majority of its Sentinels elects a master, which needs its replicas to accept writes. */
export function redisSetZoneLoss(
  { part, stands }: { part: string; stands: string },
  { settings, plan: { redis } }: PlanInput,
  zone: LostZone,
): ZoneEffect[] {
  const lost = replicasIn(zone.name, {
    hosts: hostsOf(settings, "application"),
    replicas: redis.instances,
    onePerHost: true,
  });
  if (lost === 0) return [];
  const left = redis.instances - lost;
  const source = `${lost} of ${redis.instances} instances are there, ${redis.quorum} Sentinels elect a master, and it needs ${minReplicas(redis.instances)} replicas`;
  // The quorum is a master and the replicas that it needs.
  if (left >= redis.quorum)
    return [
      {
        part,
        outcome: "recovers",
        effect: "at worst a failover: live delivery pauses, no send fails, nothing is lost",
        // A lost proxy: its endpoint stays until Kubernetes has called the node lost and moved it.
        seconds: NODE_LOST + LOST_NODE_TOLERATION,
        source: `bound; the pod's failover takes 10 s, a proxy on a lost node more. ${source}`,
      },
    ];
  return [
    {
      part,
      outcome: "stops",
      effect: stands,
      seconds: 0,
      source,
      remedy: "Put the application hosts into three zones of about the same number",
    },
  ];
}

export const redisZoneLoss = (input: PlanInput, zone: LostZone): ZoneEffect[] =>
  redisSetZoneLoss({ part: "Redis", stands: "messages are delivered late, writers and workers wait" }, input, zone);
