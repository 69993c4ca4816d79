/** Who talks to whom in the whole stack: one table for network policies, the picture and the rules. Pure. */
import { clusterEdges } from "./layers/cluster/edges";
import { hostsEdges } from "./layers/hosts/edges";
import { ingressEdges } from "./layers/ingress/edges";
import { monitoringEdges } from "./layers/monitoring/edges";
import { objectStoreEdges } from "./layers/objectstore/edges";
import { postgresEdges } from "./layers/postgres/edges";
import { redisEdges } from "./layers/redis/edges";
import { routerEdges } from "./layers/router/edges";
import { rtcEdges } from "./layers/rtc/edges";
import { synapseEdges } from "./layers/synapse/edges";
import { turnEdges } from "./layers/turn/edges";
import { webEdges } from "./layers/web/edges";
import { isPods, peerLabels, type Edge, type EdgeInput, type Peer } from "./core/edges";

export function edges(input: EdgeInput): Edge[] {
  return merged(
    [
      hostsEdges,
      clusterEdges,
      postgresEdges,
      redisEdges,
      objectStoreEdges,
      synapseEdges,
      routerEdges,
      webEdges,
      turnEdges,
      rtcEdges,
      ingressEdges,
      monitoringEdges,
    ].flatMap((source) => source(input)),
  );
}

/** Two layers may each name the edge between them: it is one edge, with both layers' ports and reasons. */
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
    byEnds.set(ends, {
      from: stated(known.from, edge.from),
      to: stated(known.to, edge.to),
      ports: [...known.ports, ...more],
      why: more.length > 0 && known.why !== edge.why ? `${known.why}; ${edge.why}` : known.why,
    });
  }
  return [...byEnds.values()];
}

/** Of two names of the same pods, the one that says which labels they have. */
const stated = (a: Peer, b: Peer): Peer => ("labels" in b ? b : a);
const portKey = (p: Edge["ports"][number]): string => JSON.stringify([p.port, p.endPort, p.protocol]);
/** By the labels that the pods have: an operator's pods are named by component in one layer and by label in another. */
const endKey = (p: Peer): string =>
  JSON.stringify(isPods(p) ? [p.namespace, Object.entries(peerLabels(p)).sort()] : Object.entries(p).sort());
