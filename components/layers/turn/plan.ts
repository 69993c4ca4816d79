/** TURN's resources, and the cost of its failure. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { callHostNotes, turnHasTls } from "../../domain/calls";
import { turnRecords } from "./dns";
import { tied, type Demand } from "../../sizing/demands";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, PlanParts, ZoneEffect } from "../../sizing/types";
import { equalReplicas, type LostZone } from "../../sizing/zones";

export const turnDemands = (_settings: Settings, { turn }: PlanParts): Demand[] =>
  turn ? [tied("coturn", "call", { ...turn, replicas: turn.nodes }, "overrides.turn")] : [];

export const turnServices = ({ plan: { turn } }: PlanInput): ServiceRow[] =>
  turn
    ? [
        {
          service: "coturn",
          instances: turn.nodes,
          cpu: turn.cpu,
          memoryMiB: turn.memoryMiB,
          what: `${turn.allocations.toLocaleString("en-US")} allocations in all, UDP ${turn.minPort} to ${turn.maxPort}`,
        },
      ]
    : [];

export function turnFailures({ plan: { turn } }: PlanInput): FailureCost[] {
  if (!turn) return [];
  return [
    {
      failure: "TURN: node",
      effect: `1/${turn.nodes} of the relayed calls break; new ones that resolve its address try their other URIs`,
      seconds: 60,
      source: "a DNS answer that is still cached, with the TTL of 60 s that the notes ask for; not measured",
    },
  ];
}

export const turnNotes = (input: PlanInput): string[] => {
  const { settings } = input;
  if (!settings.turn.enabled) return [];
  const addresses = turnRecords(input).flatMap((r) => r.addresses);
  return [
    ...callHostNotes(settings),
    `DNS for calls: clients find TURN by ${settings.hostnames.turn}, which needs ${addresses.length === 1 ? "a record of this address" : "records of all these addresses"}: ${addresses.join(", ")}. Give them a TTL of 60 s, and take out the record of a call host that is away for longer.`,
    ...(!turnHasTls(settings)
      ? [
          `No TURN over TLS with tls.mode ${settings.tls.mode}: the authority asks at the name's own address, which is coturn's, not the ingress'. TURN over UDP and TCP works (media are encrypted anyway); for turns: use ${settings.tls.mode === "acme" ? "tls.dns01" : "tls.certifiesTurn, if the issuer asks in DNS"}, or tls.mode given, with a certificate for hostnames.turn.`,
        ]
      : []),
  ];
};
export function turnZoneLoss({ settings, plan: { turn } }: PlanInput, zone: LostZone): ZoneEffect[] {
  if (!turn) return [];
  const lost = zone.lost.filter((h) => h.roles.includes("call")).length;
  return equalReplicas(zone, {
    part: "TURN",
    hosts: hostsOf(settings, "call"),
    replicas: turn.nodes,
    onePerHost: true,
    effect: `${lost}/${turn.nodes} of the relayed calls break and reconnect through another TURN address`,
    seconds: 30,
    source: "ICE restart by the client; not measured",
    stands: "calls that need a relay cannot connect",
    remedy: "Put call hosts into several zones",
  });
}
