/** The connections of the whole stack, from its settings and plan. Pure. */
import { allEdges, type Edge, type EdgeInput } from "./core/edges";
import { LAYERS } from "./layers/registry";

/** All edges, merged. */
export const edges = (input: EdgeInput): Edge[] => allEdges({ ...input, layers: LAYERS });
