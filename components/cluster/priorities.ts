/** Who goes first when a node has no room: what everything else needs. Pure. */
export const PRIORITIES = {
  data: { name: "matrix-ha-data", value: 1_000_000, description: "PostgreSQL, Redis and the object store: without them nothing else works" },
  core: { name: "matrix-ha-core", value: 900_000, description: "Synapse, its pooler and its router" },
} as const;
