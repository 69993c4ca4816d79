/** The SFU's configuration. Pure. It contains secrets, so it belongs in a Secret. */
import { stringify } from "yaml";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { sentinelAddresses as addressesOf } from "../redis/topology";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { TURN_TRANSPORTS } from "../../domain/turnUris";

export interface LivekitSecrets {
  /** Name of the API key. */
  apiKey: string;
  /** Its secret, which signs clients' tokens. */
  apiSecret: string;
  /** Password of Redis and its Sentinels. */
  redisPassword: string;
  /** Shared with coturn; LiveKit derives clients' credentials from it. */
  turnSecret: string;
}

/** Placeholder that the start script replaces with the address of the node. */
export const NODE_IP = "NODE_IP_OF_THIS_POD";

/** Name by which the Sentinels of namespace livekit know their master. */
export const REDIS_MASTER_NAME = SERVICES.redisLivekit;

/** `host:port` of the Sentinels of LiveKit's Redis. */
export const sentinelAddresses = (settings: Settings, plan: Plan): string[] =>
  addressesOf({
    component: SERVICES.redisLivekit,
    namespace: NAMESPACES.livekit,
    clusterDomain: settings.cluster.domain,
    masterName: REDIS_MASTER_NAME,
    instances: plan.redis.instances,
    quorum: plan.redis.quorum,
  });

/** livekit.yaml with NODE_IP in place of the node's address. */
export function livekitYaml({ settings, plan }: { settings: Settings; plan: Plan }, secrets: LivekitSecrets): string {
  const { rtc, turn } = settings;
  return stringify(
    {
      port: PORTS.livekitHttp,
      prometheus: { port: PORTS.livekitMetrics },
      rtc: {
        tcp_port: rtc.tcpPort,
        port_range_start: rtc.udpPortMin,
        port_range_end: rtc.udpPortMax,
        // The address is known, so LiveKit queries no external STUN server.
        use_external_ip: false,
        node_ip: NODE_IP,
        // Clients that cannot reach the SFU's UDP range use this stack's coturn; LiveKit's built-in TURN stays off.
        ...(turn.enabled
          ? {
              turn_servers: TURN_TRANSPORTS.map((protocol) => ({
                host: settings.hostnames.turn,
                port: PORTS.turn,
                protocol,
                secret: secrets.turnSecret,
              })),
            }
          : {}),
      },
      turn: { enabled: false },
      redis: {
        sentinel_master_name: REDIS_MASTER_NAME,
        sentinel_addresses: sentinelAddresses(settings, plan),
        sentinel_password: secrets.redisPassword,
        password: secrets.redisPassword,
      },
      // lk-jwt-service creates the rooms, only for users of this homeserver (its README, "Restricting room creation").
      room: { auto_create: false },
      keys: { [secrets.apiKey]: secrets.apiSecret },
      logging: { level: "info", json: true },
    },
    { lineWidth: 0 },
  );
}
