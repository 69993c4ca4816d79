/**
 * Parts of `npm run test:engine`, in their order: those without a cluster first, the one that takes the stack down
 * last. Files of test/engine.
 */
export const WITHOUT_CLUSTER = ["preview", "tiers"];
export const ON_CLUSTER = ["unchanged", "settings", "state", "foreign", "trouble", "lost", "destroy", "secrets"];
export const ENGINE_TESTS = [...WITHOUT_CLUSTER, ...ON_CLUSTER];
