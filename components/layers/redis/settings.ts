/** Sizes of Redis that may be given by hand. Pure. */
import { int, section } from "../../schema/fields";
import { cpu, memoryMiB } from "../../schema/sizes";

export const redisOverrides = {
  redis: section(
    {
      instances: int(3, 9, {
        doc: "Redis and Sentinel pods of each of the two deployments; an odd number.",
        allowed: "3, 5, 7 or 9",
      }).optional(),
      memoryMiB: memoryMiB(64),
      cpu: cpu(),
    },
    { doc: "Redis." },
  ).prefault({}),
};
