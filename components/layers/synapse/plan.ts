/** What Synapse's processes ask for, and what the loss of each costs. Pure. */
import type { PlanInput } from "../../core/layer";
import { STREAMS, type Stream, type WorkerClass } from "../../domain/workerClasses";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { FENCED, MEASURED, NODE_LOST } from "../../sizing/failures";
import type { FailureCost, Plan, PlanParts, PoolPlan } from "../../sizing/types";

export const synapseDemands = (_settings: Settings, { pools }: PlanParts): Demand[] =>
  pools.map((pool) => floating(`synapse-${pool.class}`, pool));

export const synapseFailures = ({ plan }: PlanInput): FailureCost[] => [
  ...plan.synapse.pools.map((pool) => poolFailure(pool, plan.synapse.streamWriters)),
  singletonNode(),
];

export function synapseNotes({ plan }: PlanInput): string[] {
  const single = plan.synapse.pools.filter((p) => p.replicas === 1 && p.recoverySeconds !== undefined);
  return [
    `Single points that Synapse imposes, with seconds to be back: ${single.map((p) => `${p.class} ${p.recoverySeconds}`).join(", ")}. Each event persister is one for its share of the rooms. When their node is lost they return only after it is fenced.`,
  ];
}

/** What is felt while one process of a class is away. */
const EFFECT: Partial<Record<WorkerClass, string>> = {
  main: "logins wait and main-only calls answer 503; sending, sync, media and keys go on",
  synchrotron: "none: requests go to the others at once",
  "initial-sync": "first syncs on it start again on another",
  generic: "none: requests go to the others at once",
  "event-persister": "sends in its share of the rooms wait, then complete",
  media: "none for uploads and downloads; quarantine calls wait while it is media-0",
  "federation-reader": "other servers' transactions go to the others, or are sent again",
  "federation-sender": "its share of the outgoing federation waits",
  pusher: "push notices of its share wait",
  background: "cleanups wait",
  "user-directory": "searches find no new users meanwhile",
};

/** What people know a stream as. */
const STREAM_WORDS: Partial<Record<Stream, string>> = {
  typing: "typing notices",
  presence: "presence",
  to_device: "to-device messages (keys)",
  account_data: "changes of account data",
  push_rules: "push rules",
  receipts: "read receipts",
  thread_subscriptions: "thread subscriptions",
  device_lists: "device list updates",
};

function effectOf(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): string {
  const written = STREAMS.filter((s) => writers[s] === p.class).map((s) => STREAM_WORDS[s] ?? s);
  return EFFECT[p.class] ?? `${written.join(", ")}${p.replicas > 1 ? " of its share" : ""} answer 503 or wait`;
}

function poolFailure(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): FailureCost {
  return {
    failure: `Synapse ${p.class}: process`,
    effect: effectOf(p, writers),
    seconds: p.recoverySeconds ?? 0,
    source: poolSource(p),
  };
}

function poolSource(p: PoolPlan): string {
  if (p.recoverySeconds === undefined) return `${MEASURED}: 0 client errors when one of several is killed`;
  if (p.class === "main") return `${MEASURED}: back in 3 to 4 s as a process, 11 s as a pod; a bound`;
  if (p.class === "event-persister") return `${MEASURED}: waiting sends resume about 12 s after it is healthy`;
  return `${MEASURED}: a worker starts in 3.5 s alone; a bound while others start`;
}

const singletonNode = (): FailureCost => ({
  failure: "Synapse main or a writer: node",
  effect: "as its process, until the node is fenced: nothing in the database would stop a second one",
  seconds: NODE_LOST + FENCED + 20,
  source: "bound: node declared lost after 40 s, then `hosts fence`, then the restart",
});
