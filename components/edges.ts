/**
 * Who talks to whom, on which port. Network policies, the topology picture and the rules read this one table.
 * Each layer declares its own edges in `components/<layer>/edges.ts`; here they are put together. Pure.
 */
import type { Settings } from "./settings/types";
import type { Plan } from "./sizing/types";

/** An end of an edge. `component` is the label app.kubernetes.io/component of the pods. */
export type Peer =
  | { component: string; namespace: string }
  /** Operator-made or foreign pods, by their own labels. */
  | { labels: Record<string, string>; namespace: string; label: string }
  /** Processes on the nodes' network: kubelets, hostNetwork pods, the API server. */
  | { nodes: true }
  | { apiServer: true }
  /** Clients and servers anywhere. */
  | { world: true }
  | { cidrs: string[]; label: string };

export interface Edge {
  from: Peer;
  to: Peer;
  ports: Array<{ port: number; endPort?: number; protocol: "TCP" | "UDP" }>;
  /** One phrase: what goes over it. */
  why: string;
}

export interface EdgeInput { settings: Settings; plan: Plan }
export const tcp = (...ports: number[]): Edge["ports"] => ports.map((port) => ({ port, protocol: "TCP" as const }));
export const udp = (...ports: number[]): Edge["ports"] => ports.map((port) => ({ port, protocol: "UDP" as const }));

export function edges(input: EdgeInput): Edge[] {
  return EDGE_SOURCES.flatMap((source) => source(input));
}

const EDGE_SOURCES: Array<(input: EdgeInput) => Edge[]> = [];
