/** Redis with Sentinel: the same class of instance twice, for Synapse and for LiveKit. */
import type { Settings, SettingsError } from "../settings/types";
import { REDIS } from "./anchors";
import { cores, memoryMiB, step } from "./interpolate";
import type { Plan } from "./types";

/** Of the pod's memory; the rest is for the append-only file's rewrite, the replicas' buffers and Sentinel. */
const MAXMEMORY_SHARE = 0.75;

/** More than half of the Sentinels: a minority never promotes a second master. */
export const quorumOf = (instances: number): number => Math.floor(instances / 2) + 1;

export function planRedis(settings: Settings): { redis: Plan["redis"]; errors: SettingsError[] } {
  const { ccu } = settings;
  const o = settings.overrides.redis;
  const instances = o.instances ?? step(REDIS.instances.row, ccu);
  const memory = o.memoryMiB ?? memoryMiB(REDIS.memoryGiB.row, ccu);
  const cpu = o.cpu ?? cores(REDIS.cpu.row, ccu);
  const errors: SettingsError[] = [];
  if (!Number.isInteger(instances) || instances < 3 || instances % 2 === 0) {
    errors.push({
      path: "overrides.redis.instances",
      given: String(instances),
      allowed: "an odd number from 3: an even one has the same quorum as the odd one above it and may lose fewer",
      remedy: "set 3 or 5, or leave it out",
    });
  }
  if (memory < 32)
    errors.push({
      path: "overrides.redis.memoryMiB",
      given: String(memory),
      allowed: "at least 32 MiB",
      remedy: "set 64 for a trial, or leave it out",
    });
  return {
    redis: {
      instances,
      quorum: quorumOf(instances),
      memoryMiB: memory,
      maxmemoryMiB: Math.floor(memory * MAXMEMORY_SHARE),
      cpu,
      proxy: { replicas: 2, cpu: Math.min(cpu, 0.1), memoryMiB: memory < 256 ? 32 : 64 },
    },
    errors,
  };
}
