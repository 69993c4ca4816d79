/**
 * The words in which a layer declares who talks to whom, on which port (`components/layers/<layer>/edges.ts`).
 * topology.ts puts them together. Pure.
 */
import type { Settings } from "../settings/types";
import { NAMESPACES, SERVICES } from "./names";
import type { Plan } from "../sizing/types";

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

/** Pods whose component label an operator sets itself, by a label that only they have. */
const OPERATOR_PODS: Record<string, Record<string, string>> = {
  // Instances, and the Jobs that create them: both inherit the cluster's label.
  [`${NAMESPACES.matrix}/${SERVICES.postgresCluster}`]: { "app.kubernetes.io/component": SERVICES.postgresCluster },
  [`${NAMESPACES.matrix}/${SERVICES.pooler}`]: { "cnpg.io/poolerName": SERVICES.pooler },
};

export function peerLabels(p: PodPeer): Record<string, string> {
  if ("labels" in p) return p.labels;
  return OPERATOR_PODS[`${p.namespace}/${p.component}`] ?? { "app.kubernetes.io/component": p.component };
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
