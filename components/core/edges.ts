/**
 * How a layer declares its connections: which pods connect to which, on which port
 * (`components/layers/<layer>/edges.ts`). topology.ts combines those of all layers. Pure.
 */
import { hostCidr, parseAddress } from "./addresses";
import type { StackInput } from "./layer";

/** An end of an edge. `component` is the label app.kubernetes.io/component of the pods. */
export type Peer =
  | { component: string; namespace: string }
  /** Pods that an operator or another stack makes, by their own labels. `label` is their name for people. */
  | { labels: Record<string, string>; namespace: string; label: string }
  /** Processes on the nodes' network: kubelets, hostNetwork pods, the API server. */
  | { nodes: true }
  /** The Kubernetes API server, at `networkPolicies.apiServerCidrs`. */
  | { apiServer: true }
  /** Clients and servers anywhere. */
  | { world: true }
  /** Machines outside the cluster, by their networks. `label` is their name for people. */
  | { cidrs: string[]; label: string };

/** An end that is a group of pods. */
export type PodPeer = Extract<Peer, { namespace: string }>;
/** Whether an end is a group of pods. */
export const isPods = (p: Peer): p is PodPeer => "namespace" in p;

/** The labels that select the pods of an end. */
export function peerLabels(p: PodPeer): Record<string, string> {
  return "labels" in p ? p.labels : { "app.kubernetes.io/component": p.component };
}

/** Connections from one end to another. */
export interface Edge {
  /** The end that opens the connections; its layer declares the edge. */
  from: Peer;
  /** The end that accepts them. */
  to: Peer;
  /** Container ports, not Service ports. `endPort`: last port of a range that begins at `port`. */
  ports: Array<{ port: number; endPort?: number; protocol: "TCP" | "UDP" }>;
  /** One phrase: the purpose. It is rendered as an annotation of the network policies. */
  why: string;
}

/**
 * Ports of an edge.
 *
 * @example
 *   tcp(80, 443);
 */
export function tcp(...ports: number[]): Edge["ports"] {
  return ports.map((port) => ({ port, protocol: "TCP" as const }));
}
/** The same over UDP. */
export function udp(...ports: number[]): Edge["ports"] {
  return ports.map((port) => ({ port, protocol: "UDP" as const }));
}

/** Where a connection to a service that is not this stack's leads. */
export type Outgoing = Pick<Edge, "to" | "ports">;

/**
 * The end and the ports of a connection to the URL that was given: its own host and port.
 *
 * @param clusterDomain The cluster's DNS domain, below which a host is a Service.
 */
export function outgoing(url: string, clusterDomain: string): Outgoing {
  const { hostname, port, protocol } = new URL(url);
  return outgoingTo(
    hostname.replace(/^\[|\]$/g, ""),
    port ? Number(port) : protocol === "http:" ? 80 : 443,
    clusterDomain,
  );
}

/** The same for a host and a port. */
export function outgoingTo(host: string, port: number, clusterDomain: string): Outgoing {
  const service = /^[^.]+\.([^.]+)\.svc(?:\.(.+))?$/.exec(host);
  // A network policy sees the pods behind a Service and their port, neither of which its name tells.
  if (service && (service[2] === undefined || service[2] === clusterDomain))
    return {
      to: { labels: {}, namespace: service[1]!, label: `${service[1]}` },
      ports: [{ port: 1, endPort: 65535, protocol: "TCP" }],
    };
  if (parseAddress(host)) return { to: { cidrs: [hostCidr(host)], label: host }, ports: tcp(port) };
  return { to: { world: true }, ports: tcp(port) };
}

/** All connections of the stack, merged: the one table for network policies, the picture and the rules. */
export const allEdges = (input: StackInput): Edge[] =>
  merged(input.layers.flatMap((layer) => layer.edges?.(input) ?? []));

/** One edge for each pair of ends, with the ports and reasons of all edges that were declared for that pair. */
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
    // A second reason is worth reading only for ports that the first does not explain.
    const why = more.length > 0 && known.why !== edge.why ? `${known.why}; ${edge.why}` : known.why;
    byEnds.set(ends, { ...known, ports: [...known.ports, ...more], why });
  }
  return [...byEnds.values()];
}

const portKey = (p: Edge["ports"][number]): string => JSON.stringify([p.port, p.endPort, p.protocol]);
/** Identifies an end; equal for two ends that select the same pods in different words. */
export const endKey = (p: Peer): string =>
  JSON.stringify(isPods(p) ? [p.namespace, Object.entries(peerLabels(p)).sort()] : Object.entries(p).sort());
