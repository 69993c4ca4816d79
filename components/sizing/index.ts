export { planWith, type FromLayers } from "./plan";
export type { FitRemedy } from "./hostsFit";
export { machinesFor } from "./machines";
export { recommendedHosts } from "./recommendedHosts";
export { quorumOf } from "./redis";
export type * from "./types";
