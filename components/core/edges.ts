/**
 * The words in which a layer declares who talks to whom, on which port (`components/layers/<layer>/edges.ts`).
 * topology.ts puts them together. Pure.
 */
import type { Settings } from "../settings/types";
import type { Plan } from "../sizing/types";
import type { Layer } from "./layer";

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

export type PodPeer = Extract<Peer, { namespace: string }>;
export const isPods = (p: Peer): p is PodPeer => "namespace" in p;

export function peerLabels(p: PodPeer): Record<string, string> {
  return "labels" in p ? p.labels : { "app.kubernetes.io/component": p.component };
}

export interface Edge {
  from: Peer;
  to: Peer;
  ports: Array<{ port: number; endPort?: number; protocol: "TCP" | "UDP" }>;
  /** One phrase: what goes over it. */
  why: string;
}

export interface EdgeInput {
  settings: Settings;
  plan: Plan;
}

export function tcp(...ports: number[]): Edge["ports"] {
  return ports.map((port) => ({ port, protocol: "TCP" as const }));
}
export function udp(...ports: number[]): Edge["ports"] {
  return ports.map((port) => ({ port, protocol: "UDP" as const }));
}

/** Who talks to whom in the whole stack: one table for network policies, the picture and the rules. */
export const allEdges = (input: EdgeInput & { layers: readonly Layer[] }): Edge[] =>
  merged(input.layers.flatMap((layer) => layer.edges?.(input) ?? []));

/** One row for each two ends, with the ports and reasons of all: a pair may have several, all declared by the caller. */
export function merged(list: Edge[]): Edge[] {
  const byEnds = new Map<string, Edge>();
  for (const edge of list) {
    const ends = `${endKey(edge.from)} -> ${endKey(edge.to)}`;
    const known = byEnds.get(ends);
    if (!known) {
      byEnds.set(ends, edge);
      continue;
    }
    const has = new Set(known.ports.map(portKey));
    const more = edge.ports.filter((p) => !has.has(portKey(p)));
    // A second reason is worth reading only for ports that the first one does not explain.
    const why = more.length > 0 && known.why !== edge.why ? `${known.why}; ${edge.why}` : known.why;
    byEnds.set(ends, { ...known, ports: [...known.ports, ...more], why });
  }
  return [...byEnds.values()];
}

const portKey = (p: Edge["ports"][number]): string => JSON.stringify([p.port, p.endPort, p.protocol]);
/** The same for two names of the same pods. */
export const endKey = (p: Peer): string =>
  JSON.stringify(isPods(p) ? [p.namespace, Object.entries(peerLabels(p)).sort()] : Object.entries(p).sort());
