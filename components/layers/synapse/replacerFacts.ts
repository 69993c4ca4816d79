/** What plan, edges, alerts and the pods of the replacer have in common. Pure. */

/** Its component label, and the name of its objects. */
export const REPLACER = "synapse-replacer";
/**
 * Its pods, never both on one machine: the other does the work when one of them is on the lost machine. Python with its
 * standard library; 27 MiB resident (measured).
 */
export const REPLACER_PODS = { replicas: 2, cpu: 0.01, memoryMiB: 48 } as const;
/** Paths of scripts/replace_lost.py: the API server has answered lately; it is still looking. */
export const PROBE_PATHS = { ready: "/ready", alive: "/alive" } as const;
