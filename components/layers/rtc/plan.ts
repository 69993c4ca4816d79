/** Resources of group calls, and the cost of their failure. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import { callHostNotes } from "../../domain/calls";
import { floating, tied, type Demand } from "../../sizing/demands";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";
import { redisSetDemands, redisSetZoneLoss } from "../redis/plan";

export const rtcDemands = (_settings: Settings, parts: PlanParts): Demand[] =>
  parts.rtc
    ? [
        ...redisSetDemands(SERVICES.redisLivekit, parts),
        tied("livekit", "call", { ...parts.rtc, replicas: parts.rtc.nodes }, "overrides.rtc"),
        floating("lk-jwt-service", parts.rtc.jwt),
      ]
    : [];

export const rtcServices = ({ settings, plan: { rtc } }: PlanInput): ServiceRow[] =>
  rtc
    ? [
        {
          service: "LiveKit",
          instances: rtc.nodes,
          cpu: rtc.cpu,
          memoryMiB: rtc.memoryMiB,
          what: `${rtc.usersInCalls.toLocaleString("en-US")} users in calls, UDP ${settings.rtc.udpPortMin} to ${settings.rtc.udpPortMax}`,
        },
      ]
    : [];

export function rtcFailures({ plan: { rtc } }: PlanInput): FailureCost[] {
  if (!rtc) return [];
  return [
    {
      failure: "SFU: node",
      effect: `1/${Math.max(1, rtc.nodes)} of the group calls break and rejoin on another`,
      seconds: 30,
      source: "client reconnect; not measured",
    },
  ];
}

export const rtcNotes = ({ settings }: PlanInput): string[] => [
  // With TURN its layer says it.
  ...(settings.rtc.enabled && !settings.turn.enabled ? callHostNotes(settings) : []),
  ...(settings.rtc.enabled && !settings.rtc.jwtService
    ? [
        "rtc.jwtService is false: clients are told of no SFU. Group calls work once a token service is run elsewhere and announced.",
      ]
    : []),
];

export function rtcZoneLoss(input: PlanInput, zone: LostZone): ZoneEffect[] {
  const { settings, plan } = input;
  if (!plan.rtc) return [];
  const lost = zone.lost.filter((h) => h.roles.includes("call")).length;
  return [
    ...equalReplicas(zone, {
      part: "group calls",
      hosts: hostsOf(settings, "call"),
      replicas: plan.rtc.nodes,
      onePerHost: true,
      effect: `${Math.min(lost, plan.rtc.nodes)}/${plan.rtc.nodes} of the group calls break and rejoin on another SFU`,
      seconds: 30,
      source: "client reconnect; not measured",
      stands: "there are no group calls",
      remedy: "Put call hosts into several zones",
    }),
    ...redisSetZoneLoss({ part: "Redis of the SFUs", stands: "no group call starts" }, input, zone),
  ];
}
