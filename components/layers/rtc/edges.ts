import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import type { PlanInput } from "../../core/layer";
import { httpAnywhere } from "../cluster/reach/proxy";
import { redisSetEdges } from "../redis/edges";
import { federationPorts } from "../synapse/edges";
import { tcp, type Edge, type Peer } from "../../core/edges";

/**
 * The SFU uses its node's network: pods see it as a node, and network policies do not apply to it. The ingress layer
 * declares its own connections to the two Services.
 */
export function rtcEdges({ settings }: PlanInput): Edge[] {
  if (!settings.rtc.enabled) return [];
  const sfu: Peer = { component: SERVICES.livekit, namespace: NAMESPACES.livekit };
  const jwt: Peer = { component: SERVICES.jwt, namespace: NAMESPACES.livekit };
  const redis: Peer = { component: SERVICES.redisLivekit, namespace: NAMESPACES.livekit };
  return [
    ...redisSetEdges(SERVICES.redisLivekit, NAMESPACES.livekit),
    {
      from: { world: true },
      to: sfu,
      why: "media of calls",
      ports: [
        { port: settings.rtc.udpPortMin, endPort: settings.rtc.udpPortMax, protocol: "UDP" },
        ...tcp(settings.rtc.tcpPort),
      ],
    },
    {
      from: { nodes: true },
      to: redis,
      why: "SFUs share rooms and find the master through Sentinel",
      ports: tcp(PORTS.redis, PORTS.sentinel),
    },
    ...(settings.rtc.jwtService
      ? httpAnywhere(
          {
            from: jwt,
            why: "asks homeservers who a user is; makes rooms at the SFU by its public name",
            ports: federationPorts(settings),
          },
          settings,
        )
      : []),
  ];
}
