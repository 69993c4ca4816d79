/**
 * Which pods the scheduler places first when a node has no room: those that can run on one node only, and those that
 * everything else needs. The plan places node-bound pods first too; the scheduler does so only by priority. Pods
 * without a class come after all of these. The descriptions are rendered. Pure.
 */
export const PRIORITIES = {
  data: {
    name: "matrix-ha-data",
    value: 1_000_000,
    description: "PostgreSQL, Redis and the object store: without them nothing else works",
  },
  calls: {
    name: "matrix-ha-calls",
    value: 950_000,
    description: "TURN and the SFU: bound to the call hosts, where others may run too",
  },
  core: {
    name: "matrix-ha-core",
    value: 900_000,
    description: "Synapse, its pooler, its router, Redis' door and the ingress",
  },
} as const;
