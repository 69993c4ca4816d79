/** Overrides of the router's sizes. Pure. */
import { section } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

export const routerOverrides = {
  router: section(
    { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
    { doc: "HAProxy in front of Synapse." },
  ).prefault({}),
};
