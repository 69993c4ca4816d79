/** Redis with Sentinel: one size for two deployments, Synapse's and LiveKit's. */
import type { Settings } from "../settings/types";
import { REDIS } from "./anchors";
import { cores, memoryMiB, step } from "./interpolate";
import type { Plan } from "./types";

/** Share of the pod's memory; the rest is for the append-only file's rewrite, the replicas' buffers and Sentinel. */
const MAXMEMORY_SHARE = 0.75;

/** More than half of the Sentinels: a minority never promotes a second master. */
export const quorumOf = (instances: number): number => Math.floor(instances / 2) + 1;

/** Sizes of one deployment of Redis with Sentinel and its proxy. */
export function planRedis(settings: Settings): Plan["redis"] {
  const { ccu } = settings;
  const o = settings.overrides.redis;
  const instances = o.instances ?? step(REDIS.instances.row, ccu);
  const memory = o.memoryMiB ?? memoryMiB(REDIS.memoryGiB.row, ccu);
  const cpu = o.cpu ?? cores(REDIS.cpu.row, ccu);
  return {
    instances,
    quorum: quorumOf(instances),
    memoryMiB: memory,
    maxmemoryMiB: Math.floor(memory * MAXMEMORY_SHARE),
    cpu,
    proxy: { replicas: 2, cpu: Math.min(cpu, 0.1), memoryMiB: memory < 256 ? 32 : 64 },
  };
}
