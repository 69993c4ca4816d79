/** Who talks to whom in the whole stack: one table for network policies, the picture and the rules. Pure. */
import { clusterEdges } from "./cluster/edges";
import { hostsEdges } from "./hosts/edges";
import { ingressEdges } from "./ingress/edges";
import { monitoringEdges } from "./monitoring/edges";
import { objectStoreEdges } from "./objectstore/edges";
import { postgresEdges } from "./postgres/edges";
import { redisEdges } from "./redis/edges";
import { routerEdges } from "./router/edges";
import { rtcEdges } from "./rtc/edges";
import { synapseEdges } from "./synapse/edges";
import { turnEdges } from "./turn/edges";
import { webEdges } from "./web/edges";
import { peerLabels } from "./cluster/policiesFromEdges";
import type { Edge, EdgeInput, Peer } from "./edges";

export function edges(input: EdgeInput): Edge[] {
  return merged([
    hostsEdges, clusterEdges, postgresEdges, redisEdges, objectStoreEdges, synapseEdges, routerEdges, webEdges, turnEdges, rtcEdges, ingressEdges, monitoringEdges,
  ].flatMap((source) => source(input)));
}

/** Two layers may each name the edge between them: it is one edge, with both layers' ports and reasons. */
export function merged(list: Edge[]): Edge[] {
  const byEnds = new Map<string, Edge>();
  for (const edge of list) {
    const ends = `${endKey(edge.from)} -> ${endKey(edge.to)}`;
    const known = byEnds.get(ends);
    if (!known) { byEnds.set(ends, edge); continue; }
    const has = new Set(known.ports.map(portKey));
    const more = edge.ports.filter((p) => !has.has(portKey(p)));
    // A second reason is worth reading only for ports that the first one does not explain.
    byEnds.set(ends, { from: stated(known.from, edge.from), to: stated(known.to, edge.to), ports: [...known.ports, ...more], why: more.length > 0 && known.why !== edge.why ? `${known.why}; ${edge.why}` : known.why });
  }
  return [...byEnds.values()];
}

/** Of two names of the same pods, the one that says which labels they have. */
const stated = (a: Peer, b: Peer): Peer => ("labels" in b ? b : a);
const portKey = (p: Edge["ports"][number]): string => JSON.stringify([p.port, p.endPort, p.protocol]);
/** By the labels that the pods have: an operator's pods are named by component in one layer and by label in another. */
const endKey = (p: Peer): string => JSON.stringify("namespace" in p ? [p.namespace, Object.entries(peerLabels(p)).sort()] : Object.entries(p).sort());
