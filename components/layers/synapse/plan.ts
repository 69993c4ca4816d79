/** Requests of Synapse's processes, and what the loss of each costs. Pure. */
import type { PlanInput } from "../../core/layer";
import { STREAMS, streamFacts } from "../../domain/workerClasses";
import { WORKERS } from "../../domain/workers";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { LOST_NODE_TOLERATION, NODE_LOST, NODE_REPLACED } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, Plan, PlanParts, PoolPlan, ZoneEffect } from "../../sizing/types";
import type { LostZone } from "../../sizing/zones";
import { REPLACER, REPLACER_PODS } from "./replacerFacts";

export const synapseDemands = (_settings: Settings, { pools }: PlanParts): Demand[] => [
  ...pools.map((pool) => floating(`synapse-${pool.class}`, pool)),
  floating(REPLACER, REPLACER_PODS),
];

export const synapseFailures = ({ plan }: PlanInput): FailureCost[] => [
  ...plan.synapse.pools.map((pool) => poolFailure(pool, plan.synapse.streamWriters)),
  singletonNode(),
];

export function synapseNotes({ plan }: PlanInput): string[] {
  const single = plan.synapse.pools.filter((p) => p.replicas === 1 && p.recoverySeconds !== undefined);
  return [
    `Single points that Synapse imposes, with the seconds until they are back: ${single.map((p) => `${p.class} ${p.recoverySeconds}`).join(", ")}. Each event persister is one for its share of the rooms. When their node is lost, they are back on others in ${NODE_REPLACED} s, by themselves.`,
  ];
}

function effectOf(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): string {
  const written = STREAMS.filter((s) => writers[s] === p.class).map((s) => streamFacts(s).known);
  return (
    WORKERS[p.class].loss.effect ?? `${written.join(", ")}${p.replicas > 1 ? " of its share" : ""} answer 503 or wait`
  );
}

function poolFailure(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): FailureCost {
  return {
    failure: `Synapse ${p.class}: process`,
    effect: effectOf(p, writers),
    seconds: p.recoverySeconds ?? 0,
    source: WORKERS[p.class].loss.source,
  };
}

const singletonNode = (): FailureCost => ({
  failure: "Synapse main or a writer: node",
  effect: "as its process; it starts elsewhere by itself, and the database ends what the old one may still do",
  seconds: NODE_REPLACED,
  source: "bound: node declared lost after 40 to 50 s, replaced within 5 s, the restart of all that it carried at once",
});

/** Its processes start again on the hosts of the other zones, as far as these have room. */
export function synapseZoneLoss({ settings }: PlanInput, zone: LostZone): ZoneEffect[] {
  const all = hostsOf(settings, "application").length;
  const lost = zone.lost.filter((h) => h.roles.includes("application")).length;
  if (lost === 0) return [];
  const { seconds, effect } = singletonNode();
  const workers: ZoneEffect = {
    part: "Synapse's workers",
    outcome: "recovers",
    effect: "those there start on other hosts; the others answer meanwhile",
    seconds: NODE_LOST + LOST_NODE_TOLERATION,
    source: `bound: a node is declared lost after 40 s, its pods leave after 30 s more; ${lost} of ${all} application hosts are there`,
  };
  const single: ZoneEffect = {
    part: "Synapse main and writers",
    outcome: "recovers",
    effect,
    seconds,
    source: "bound: as for a node",
  };
  if (!zone.noRoom) return [workers, single];
  const { pods, names } = zone.noRoom;
  return [
    {
      part: "Synapse's workers",
      outcome: "stops",
      effect: `${pods} pods find no room on the other hosts (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", ..." : ""}); what they do is slow or waits`,
      seconds: 0,
      source: `${lost} of ${all} application hosts are there`,
      remedy: "Add application hosts, or spread them more evenly over the zones",
    },
    single,
  ];
}
