/** coturn's configuration, as far as it is the same on every node, without the secret. Pure. */
import { isIP } from "node:net";
import { MULTICAST, SPECIAL_NETWORKS } from "../../core/addresses";
import { ownNetworks } from "../../domain/ownNetworks";
import { PORTS } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { advertised, callHosts } from "../../domain/callHosts";
import { coturnRange } from "./cidr";

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
 * Allocations of one user on one node: a client makes one for each URI that it knows (at most three,
 * domain/turnUris.ts) and each of its networks (two: Wi-Fi and mobile), and may be in two calls, one on hold.
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

/**
 * What a relay must not send to: it would be a way into the network. Not the unspecified address of IPv6: coturn
 * takes it to mean "any", and would deny every peer (measured).
 */
export const deniedPeers = (settings: Settings): string[] => [
  ...new Set([
    ...SPECIAL_NETWORKS,
    ...MULTICAST,
    // Clients reach the relays, and when both sides of a call need one, one relay sends to the other.
    ...ownNetworks(settings, new Set(callHosts(settings).map(advertised))),
  ]),
];

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
      ...deniedPeers(settings).map((c) => `denied-peer-ip=${coturnRange(c)}`),
      ...[...new Set([...turn.allowedPrivateCidrs, ...relays])].map((c) => `allowed-peer-ip=${coturnRange(c)}`),
      "log-file=stdout",
      `pidfile=${TURN_PATHS.run}/turnserver.pid`,
      `userdb=${TURN_PATHS.run}/turndb`,
    ].join("\n") + "\n"
  );
}

/** The complete file, the only one with the secret. */
export const withSecret = (conf: string, secret: string): string => `${conf}static-auth-secret=${secret}\n`;
