/** Connections that the router opens; the ingress layer declares those to it. Pure. */
import { tcp, type Edge, type Peer } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { synapsePeer } from "../synapse/edges";
import { resolveRoutes, routingInput } from "../synapse/routingTable";

export const ROUTER_COMPONENT = SERVICES.router;
/** The router's pods, as the other end of a connection. */
export const routerPeer: Peer = { component: ROUTER_COMPONENT, namespace: NAMESPACES.matrix };

export function routerEdges(input: PlanInput): Edge[] {
  const routes = resolveRoutes(routingInput(input));
  const classes = [...new Set(routes.flatMap((r) => r.classes))].sort();
  return [
    ...classes.map((cls): Edge => ({
      from: routerPeer,
      to: synapsePeer(cls),
      ports: tcp(PORTS.synapseHttp, PORTS.synapseHealth),
      why: "requests of clients, and health checks",
    })),
    { from: { nodes: true }, to: routerPeer, ports: tcp(PORTS.routerHealth), why: "probes" },
  ];
}
