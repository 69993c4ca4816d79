import type { Edge, EdgeInput } from "../../core/edges";

/** None: hosts are prepared over SSH from outside the cluster, without any pod. */
export const hostsEdges = (_input: EdgeInput): Edge[] => [];
