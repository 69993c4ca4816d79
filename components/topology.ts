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
import type { Edge, EdgeInput } from "./edges";

export function edges(input: EdgeInput): Edge[] {
  return [
    hostsEdges, clusterEdges, postgresEdges, redisEdges, objectStoreEdges, synapseEdges, routerEdges, webEdges, turnEdges, rtcEdges, ingressEdges, monitoringEdges,
  ].flatMap((source) => source(input));
}
