/** coturn's configuration, as far as it is the same on every node, without the secret. Pure. */
import { isIP } from "node:net";
import { SPECIAL_IPV4 } from "../../core/addresses";
import { PORTS } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { advertised, callHosts } from "../../domain/callHosts";
import { coturnRange } from "./cidr";

/**
 * Networks without clients on the Internet (IANA special-purpose registries). A relay that could reach them would be a
 * way into the network.
 */
export const DENIED_PEERS = [
  ...SPECIAL_IPV4,
  "240.0.0.0/4",
  // 64:ff9b::/96, ::ffff:0:0/96 and 2002::/16 embed IPv4 addresses, private ones included.
  // Not `::`: coturn takes the unspecified address to mean "any", and would deny every peer (measured).
  "::1/128",
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/32",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
] as const;

export const TURN_PATHS = {
  secret: "/etc/matrix-ha/turn/turnserver.conf",
  tls: "/etc/matrix-ha/tls",
  start: "/etc/matrix-ha/start/start.sh",
  run: "/run/coturn",
} as const;

export interface TurnConfInput {
  settings: Settings;
  plan: Plan;
  /** Whether a certificate is mounted at TURN_PATHS.tls. */
  tls: boolean;
}

/**
 * Allocations per user: 4 relayed streams per call, three calls at once (matrix-org/synapse
 * docs/setup/turn/coturn.md).
 */
const USER_QUOTA = 12;
/** Bytes per second of one allocation: 10 Mbit/s, twice the rate of a shared screen in 1080p. */
const MAX_BPS = 1_250_000;

/**
 * Allocations that one node accepts: its share while one node is lost, plus half as much for peaks, at most its ports.
 */
export function allocationsPerNode(plan: Plan): number {
  if (!plan.turn) return 0;
  const { nodes, allocations, minPort, maxPort } = plan.turn;
  return Math.min(Math.ceil((allocations / Math.max(1, nodes - 1)) * 1.5), maxPort - minPort + 1);
}

/** The cluster's own addresses, also public ones, except those at which clients reach the relays. */
function ownAddresses(settings: Settings): string[] {
  const relays = new Set(callHosts(settings).map(advertised));
  return [
    ...settings.hosts.map((h) => h.address).filter((a) => isIP(a) && !relays.has(a)),
    ...settings.cluster.podCidrs,
    ...settings.cluster.serviceCidrs,
  ];
}

/** turnserver.conf without the secret and the node's addresses. */
export function turnserverConf({ settings, plan, tls }: TurnConfInput): string {
  const { turn } = settings;
  // When both clients of a call need a relay, one relay sends to the other.
  const relays = callHosts(settings)
    .map(advertised)
    .filter((a) => isIP(a));
  return (
    [
      `realm=${settings.serverName}`,
      `server-name=${settings.hostnames.turn}`,
      `listening-port=${PORTS.turn}`,
      ...(tls
        ? [`tls-listening-port=${turn.tlsPort}`, `cert=${TURN_PATHS.tls}/tls.crt`, `pkey=${TURN_PATHS.tls}/tls.key`]
        : ["no-tls"]),
      `min-port=${turn.minPort}`,
      `max-port=${turn.maxPort}`,
      "use-auth-secret",
      "fingerprint",
      "stale-nonce=600",
      `user-quota=${USER_QUOTA}`,
      `total-quota=${allocationsPerNode(plan)}`,
      `max-bps=${MAX_BPS}`,
      // Voice and video use UDP. A TCP relay would be a tunnel to any TCP service.
      "no-tcp-relay",
      "no-multicast-peers",
      "no-software-attribute",
      ...[...new Set([...DENIED_PEERS, ...ownAddresses(settings)])].map((c) => `denied-peer-ip=${coturnRange(c)}`),
      ...[...new Set([...turn.allowedPrivateCidrs, ...relays])].map((c) => `allowed-peer-ip=${coturnRange(c)}`),
      "log-file=stdout",
      `pidfile=${TURN_PATHS.run}/turnserver.pid`,
      `userdb=${TURN_PATHS.run}/turndb`,
    ].join("\n") + "\n"
  );
}

/** The complete file, the only one with the secret. */
export const withSecret = (conf: string, secret: string): string => `${conf}static-auth-secret=${secret}\n`;
