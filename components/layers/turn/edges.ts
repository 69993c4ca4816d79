import { PORTS, NAMESPACES, SERVICES } from "../../core/names";
import type { PlanInput } from "../../core/layer";
import type { Edge, Peer } from "../../core/edges";

/** coturn uses its node's network: network policies do not apply to it, the host's firewall does. */
export function turnEdges({ settings }: PlanInput): Edge[] {
  if (!settings.turn.enabled) return [];
  const coturn: Peer = { component: SERVICES.coturn, namespace: NAMESPACES.coturn };
  return [
    {
      from: { world: true },
      to: coturn,
      why: "clients behind NAT ask for a relay, and media come to it",
      ports: [
        { port: PORTS.turn, protocol: "TCP" },
        { port: PORTS.turn, protocol: "UDP" },
        { port: settings.turn.tlsPort, protocol: "TCP" },
        { port: settings.turn.minPort, endPort: settings.turn.maxPort, protocol: "UDP" },
      ],
    },
    {
      from: coturn,
      to: { world: true },
      why: "media to the other side of a call",
      ports: [{ port: 1024, endPort: 65535, protocol: "UDP" }],
    },
  ];
}
