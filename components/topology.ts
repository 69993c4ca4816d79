/** Who talks to whom in the whole stack, for those who know only its settings and plan. Pure. */
import { allEdges, type Edge, type EdgeInput } from "./core/edges";
import { LAYERS } from "./layers/registry";

export const edges = (input: EdgeInput): Edge[] => allEdges({ ...input, layers: LAYERS });
