/** Sizes of the ingress controller in `overrides`. Pure. */

import { section } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

export const ingressOverrides = {
  ingress: section(
    { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
    { doc: "Ingress controller." },
  ).prefault({}),
};
