/** Redis' resources, and the cost of its failures. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import { floating, tied, type Demand } from "../../sizing/demands";
import { MEASURED } from "../../sizing/failures";
import type { FailureCost, PlanParts } from "../../sizing/types";

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
