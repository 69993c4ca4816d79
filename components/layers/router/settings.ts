/** Sizes of the router that may be given by hand. Pure. */
import { section } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

export const routerOverrides = {
  router: section(
    { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
    { doc: "HAProxy before Synapse." },
  ).prefault({}),
};
