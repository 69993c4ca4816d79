/** What is lost with a zone: hosts, and the replicas that are spread over them. Pure. */
import type { HostSettings, Settings } from "../settings/types";
import type { Demand } from "./demands";
import { missingWithout, type Missing } from "./hostsFit";
import type { FailureCost, ZoneEffect, ZonePlan } from "./types";

/** A zone that is lost as a whole. */
export interface LostZone {
  /** Name of the zone. */
  name: string;
  /** Its hosts. */
  lost: HostSettings[];
  /** All other hosts. */
  left: HostSettings[];
  /** Pods that find no room on the others, with the autoscalers at their minimum; absent where all find some. */
  noRoom?: Missing;
}

/** The zones of the hosts, in the order in which they are first named. */
export const zonesOf = (hosts: readonly HostSettings[]): string[] => [
  ...new Set(hosts.flatMap((h) => (h.zone === undefined ? [] : [h.zone]))),
];

/** Each zone as lost; empty where the hosts are not in several zones. */
export function lostZones({ hosts }: Settings, demands: Demand[]): LostZone[] {
  const names = zonesOf(hosts);
  if (names.length < 2) return [];
  return names.map((name) => {
    const lost = hosts.filter((h) => h.zone === name);
    const noRoom = missingWithout(hosts, lost, demands);
    return { name, lost, left: hosts.filter((h) => h.zone !== name), ...(noRoom ? { noRoom } : {}) };
  });
}

/** Replicas that are spread over hosts. */
export interface SpreadPods {
  /** The hosts that may carry them, of all zones. */
  hosts: readonly HostSettings[];
  replicas: number;
  /** Whether each has a host of its own. @default false */
  onePerHost?: boolean;
}

/**
 * The most of these replicas that a zone holds when they are spread evenly over zones, as far as there are hosts: which
 * zone gets the one more that an even spread leaves is not known, so it is this one.
 */
export function replicasIn(zone: string, { hosts, replicas, onePerHost }: SpreadPods): number {
  const room = new Map<string, number>();
  for (const h of hosts) room.set(h.zone ?? `of ${h.name} alone`, (room.get(h.zone ?? `of ${h.name} alone`) ?? 0) + 1);
  const placed = new Map<string, number>([...room.keys()].map((z) => [z, 0]));
  for (let i = 0; i < replicas; i++) {
    const open = [...placed].filter(([z, n]) => !onePerHost || n < room.get(z)!);
    if (open.length === 0) break;
    const fewest = Math.min(...open.map(([, n]) => n));
    const here = open.find(([z, n]) => z === zone && n === fewest) ?? open.find(([, n]) => n === fewest)!;
    placed.set(here[0], here[1] + 1);
  }
  return placed.get(zone) ?? 0;
}

/** Equal replicas of which any one suffices. */
export interface EqualReplicas extends SpreadPods {
  /** Name for people. */
  part: string;
  /** What stands when all are lost. */
  stands: string;
  /** What users notice while some are lost. */
  effect: string;
  /** Seconds until requests go only to those that are left. */
  seconds: number;
  source: string;
  /** What keeps it from standing. */
  remedy: string;
}

/** Effect of a zone's loss on replicas of which any one suffices; none where the zone holds none of them. */
export function equalReplicas(zone: LostZone, e: EqualReplicas): ZoneEffect[] {
  const lost = replicasIn(zone.name, e);
  if (lost === 0) return [];
  const { part, source } = e;
  return lost < e.replicas
    ? [{ part, outcome: e.seconds === 0 ? "goes on" : "recovers", effect: e.effect, seconds: e.seconds, source }]
    : [
        {
          part,
          outcome: "stops",
          effect: e.stands,
          seconds: 0,
          source: `all ${e.replicas} may be in the zone`,
          remedy: e.remedy,
        },
      ];
}

/** An effect of several zones. */
interface SharedEffect {
  effect: ZoneEffect;
  /** Names of the zones. */
  zones: string[];
}

/** The effects of all zones, those with the same key as one: the first of them, with the names of their zones. */
function together(zones: ZonePlan[], keyOf: (effect: ZoneEffect) => string): SharedEffect[] {
  const found = new Map<string, SharedEffect>();
  for (const { zone, effects } of zones)
    for (const effect of effects) {
      const key = keyOf(effect);
      const shared = found.get(key) ?? { effect, zones: [] };
      shared.zones.push(zone);
      found.set(key, shared);
    }
  return [...found.values()];
}

/** Rows for the table of failures: zones with the same effect share one. */
export function zoneFailures(zones: ZonePlan[]): FailureCost[] {
  const rows = together(zones, (e) => [e.part, e.outcome, e.effect, e.seconds].join("\n"));
  const parts = [...new Set(rows.map((r) => r.effect.part))];
  return parts.flatMap((part) =>
    rows
      .filter((r) => r.effect.part === part)
      .map(({ effect, zones: names }) => ({
        failure: `${names.length === zones.length ? "Zone" : `Zone ${names.join(" or ")}`} lost: ${part}`,
        effect: effect.effect,
        seconds: effect.seconds,
        source: effect.source,
        ...(effect.outcome === "stops" ? { untilBack: true } : {}),
      })),
  );
}

/** Zones whose loss stops something, as warnings; and a note where there are no zones to lose. */
export function zoneNotes({ hosts }: Settings, zones: ZonePlan[]): string[] {
  const stops = together(
    zones.map((z) => ({ ...z, effects: z.effects.filter((e) => e.outcome === "stops") })),
    (e) => e.part,
  );
  const warnings = stops.map(
    ({ effect, zones: names }) =>
      `WARNING: ${effect.part} does not survive the loss of zone ${names.join(" or ")} (${effect.source}): ${effect.effect}.${effect.remedy ? ` ${effect.remedy}.` : ""}`,
  );
  const without = hosts.filter((h) => h.zone === undefined);
  if (zones.length === 0)
    return [
      `${without.length === hosts.length ? "No host has a zone" : without.length === 0 ? `All ${hosts.length} hosts are in zone ${zonesOf(hosts)[0]}` : `All hosts are in zone ${zonesOf(hosts)[0]} or in none`}: what they share (power, switch, room) can fail for all of them at once, and then everything stands. With \`hosts[].zone\` of three zones, the plan computes what the loss of each costs.`,
    ];
  if (without.length > 0)
    warnings.push(
      `${without.length} of ${hosts.length} hosts have no zone (${without
        .slice(0, 4)
        .map((h) => h.name)
        .join(", ")}${without.length > 4 ? ", ..." : ""}): the plan takes each for a zone of its own.`,
    );
  return warnings;
}
