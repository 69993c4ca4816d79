/** The SFU's configuration. Pure; the secrets are arguments, so the result belongs in a Secret. */
import { stringify } from "yaml";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { sentinelAddresses as addressesOf } from "../redis/topology";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { advertised, callHosts } from "../../domain/callHosts";

export interface LivekitSecrets {
  apiKey: string;
  apiSecret: string;
  /** Of Redis and of its Sentinels: one password for both. */
  redisPassword: string;
  /** Shared with coturn; LiveKit makes clients' credentials from it. */
  turnSecret: string;
}

/** Where the pod's start writes the address of its node. */
export const NODE_IP = "NODE_IP_OF_THIS_POD";

/** Sentinel's name of the master, as the Redis of namespace livekit is configured. */
export const REDIS_MASTER_NAME = SERVICES.redisLivekit;

export const sentinelAddresses = (settings: Settings, plan: Plan): string[] =>
  addressesOf({
    component: SERVICES.redisLivekit,
    namespace: NAMESPACES.livekit,
    clusterDomain: settings.cluster.domain,
    masterName: REDIS_MASTER_NAME,
    instances: plan.redis.instances,
    quorum: plan.redis.quorum,
  });

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
        // The address is known: no foreign STUN server is asked.
        use_external_ip: false,
        node_ip: NODE_IP,
        // What cannot reach the SFU's UDP range goes through our own relays (TCP; LiveKit's built-in TURN stays off).
        ...(turn.enabled
          ? {
              turn_servers: callHosts(settings).flatMap((h) =>
                ["udp", "tcp"].map((protocol) => ({
                  host: advertised(h),
                  port: PORTS.turn,
                  protocol,
                  secret: secrets.turnSecret,
                })),
              ),
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
      // Rooms are made by lk-jwt-service, for users of this homeserver only (its README, "Restricting room creation").
      room: { auto_create: false },
      keys: { [secrets.apiKey]: secrets.apiSecret },
      logging: { level: "info", json: true },
    },
    { lineWidth: 0 },
  );
}
