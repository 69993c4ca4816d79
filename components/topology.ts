/** The connections of the whole stack, from its settings and plan. Pure. */
import { allEdges, type Edge } from "./core/edges";
import type { PlanInput } from "./core/layer";
import { LAYERS } from "./layers/registry";

/** All edges, merged. */
export const edges = (input: PlanInput): Edge[] => allEdges({ ...input, layers: LAYERS });
