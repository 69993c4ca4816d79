/** Voice and video: coturn and LiveKit, both on every call host's own network. */
import type { Settings, SettingsError } from "../settings/types";
import { activityOf, profileOf } from "./activity";
import { CALLS } from "./anchors";
import { hostsOf } from "./hosts";
import { cores, count, memoryMiB } from "./interpolate";
import type { Plan } from "./types";

/**
 * The anchors gave coturn and the SFU machines of their own; here each call host carries both. Requests are what
 * they hold at rest and under usual load, and leave a quarter of the machine to the peaks of either.
 */
const LIVEKIT_SHARE = 0.5;
const COTURN_SHARE = 0.25;

/** UDP ports: a relay address, and the even/odd neighbour that a client may reserve (RFC 5766, EVEN-PORT). */
export const PORTS_PER_ALLOCATION = 2;
/** UDP ports: one for publishing, one for subscribing. */
export const PORTS_PER_CALL_USER = 2;

/** Calls beside those of the deployments that were run. */
const callsBeside = (settings: Settings): number => activityOf(settings).callShare / profileOf("typical").callShare;

const SCALE = (n: number): string => n.toLocaleString("en-US");

/** What each of the other nodes carries when one is lost. */
export const perSurvivor = (total: number, nodes: number): number => Math.ceil(total / Math.max(1, nodes - 1));

/** Sizes of coturn and LiveKit where they are on, and an error where a range has too few ports. */
export function planCalls(settings: Settings): {
  turn?: NonNullable<Plan["turn"]>;
  rtc?: NonNullable<Plan["rtc"]>;
  errors: SettingsError[];
} {
  const { ccu, turn, rtc, overrides } = settings;
  const nodes = hostsOf(settings, "call").length;
  const errors: SettingsError[] = [];
  const result: ReturnType<typeof planCalls> = { errors };
  if (turn.enabled) {
    const allocations = count(CALLS.allocations.row, ccu, callsBeside(settings));
    result.turn = {
      nodes,
      allocations,
      minPort: turn.minPort,
      maxPort: turn.maxPort,
      cpu:
        overrides.turn.cpu ??
        cores(CALLS.coturnCpu.row.map((v) => v * COTURN_SHARE) as unknown as typeof CALLS.coturnCpu.row, ccu),
      memoryMiB:
        overrides.turn.memoryMiB ??
        memoryMiB(CALLS.coturnGiB.row.map((v) => v * COTURN_SHARE) as unknown as typeof CALLS.coturnGiB.row, ccu),
    };
    errors.push(
      ...capacity({
        path: "turn.minPort",
        from: turn.minPort,
        to: turn.maxPort,
        users: allocations,
        portsEach: PORTS_PER_ALLOCATION,
        nodes,
        what: "TURN allocations",
      }),
    );
  }
  if (rtc.enabled) {
    const sfus = overrides.rtc.replicas ?? nodes;
    if (sfus > nodes)
      errors.push({
        path: "overrides.rtc.replicas",
        given: String(sfus),
        allowed: `at most ${nodes}, the hosts with the role call: each carries one`,
        remedy: `add ${sfus - nodes} call hosts, or lower it`,
      });
    const usersInCalls = count(CALLS.usersInCalls.row, ccu, callsBeside(settings));
    result.rtc = {
      nodes: sfus,
      usersInCalls,
      cpu:
        overrides.rtc.cpu ??
        cores(CALLS.livekitCpu.row.map((v) => v * LIVEKIT_SHARE) as unknown as typeof CALLS.livekitCpu.row, ccu),
      memoryMiB:
        overrides.rtc.memoryMiB ??
        memoryMiB(CALLS.livekitGiB.row.map((v) => v * LIVEKIT_SHARE) as unknown as typeof CALLS.livekitGiB.row, ccu),
      jwt: { replicas: 2, cpu: Math.min(0.05, overrides.rtc.cpu ?? 0.05), memoryMiB: 64 },
    };
    errors.push(
      ...capacity({
        path: "rtc.udpPortMin",
        from: rtc.udpPortMin,
        to: rtc.udpPortMax,
        users: usersInCalls,
        portsEach: PORTS_PER_CALL_USER,
        nodes: sfus,
        what: "users in calls",
      }),
    );
  }
  return result;
}

interface Capacity {
  path: string;
  from: number;
  to: number;
  users: number;
  portsEach: number;
  nodes: number;
  what: string;
}

function capacity({ path, from, to, users, portsEach, nodes, what }: Capacity): SettingsError[] {
  const has = to - from + 1;
  const needs = perSurvivor(users, nodes) * portsEach;
  if (has >= needs) return [];
  return [
    {
      path,
      given: `${from} to ${to}: ${SCALE(has)} ports on each of ${nodes} nodes`,
      allowed: `at least ${SCALE(needs)} ports: ${SCALE(users)} ${what} on ${Math.max(1, nodes - 1)} nodes (one lost), ${portsEach} ports each`,
      remedy: `widen the range to ${SCALE(needs)} ports, or add call hosts`,
    },
  ];
}
