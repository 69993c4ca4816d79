/** Overrides of Redis' sizes. Pure. */
import { int, section } from "../../schema/fields";
import { cpu, memoryMiB } from "../../schema/sizes";

export const redisOverrides = {
  redis: section(
    {
      instances: int(3, 9, {
        doc: "Pods of each Redis set (Synapse's and LiveKit's), each with a Redis and a Sentinel; an odd number.",
        allowed: "3, 5, 7 or 9",
      }).optional(),
      memoryMiB: memoryMiB(64),
      cpu: cpu(),
    },
    { doc: "Redis." },
  ).prefault({}),
};
