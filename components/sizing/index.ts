export { plan } from "./plan";
export { PlanInvalid, formatError } from "./errors";
export type { FitRemedy } from "./hostsFit";
export { machinesFor } from "./machines";
export { recommendedHosts } from "./recommendedHosts";
export { quorumOf } from "./redis";
export type * from "./types";
