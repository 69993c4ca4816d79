export { demandsOn, planWith, type FromLayers } from "./plan";
export type { FitRemedy } from "./hostsFit";
export { machinesFor } from "./machines";
export { RECOMMENDED_STORE, recommendedHosts } from "./recommendedHosts";
export { quorumOf } from "./redis";
export type { LostZone } from "./zones";
export type * from "./types";
