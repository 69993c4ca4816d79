import type { Edge, EdgeInput } from "../../core/edges";

/** Hosts are prepared over SSH from outside the cluster; no pod takes part. */
export const hostsEdges = (_input: EdgeInput): Edge[] => [];
