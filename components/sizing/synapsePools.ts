/** The classes of Synapse processes at a number of users, and which of them writes each stream. */
import type { PoolOverride, Settings, SettingsError } from "../settings/types";
import { POOLS, SYNAPSE } from "./anchors";
import { ceilTo, cores, count, interpolate, memoryMiB, round2 } from "./interpolate";
import type { Plan, PoolPlan } from "./types";
import { WORKER_CLASSES, type Stream, type WorkerClass } from "../domain/workerClasses";

/** From here on typing, presence and to-device each have a process of their own. */
export const OWN_WRITERS_CCU = 5_000;

/** Stateless and found by name of their Service: an autoscaler may add and remove them. */
export const AUTOSCALED: readonly WorkerClass[] = ["synchrotron", "initial-sync", "generic", "federation-reader"];

/** Synapse refuses (or silently breaks with) a second process of these. */
export const SINGLETONS: readonly WorkerClass[] = [
  "main",
  "ephemeral",
  "presence",
  "to-device",
  "account",
  "background",
  "user-directory",
];

/** Autoscalers may go to one and a half of the starting replicas: the peak that messages per second allow for. */
const AUTOSCALE_FACTOR = 1.5;

/** Connections that a process opens at its start and never closes (cp_min); measured with 3. */
export const CP_MIN = 3;

/**
 * Measured: main 11 s from a lost pod to serving (3 to 4 s for the process alone), a worker 3.5 s alone and
 * up to 15 s while others start, an event persister's waiting sends another 12 s (back-off).
 */
const RECOVERY_SECONDS: Partial<Record<WorkerClass, number>> = {
  main: 20,
  "event-persister": 27,
  ephemeral: 15,
  presence: 15,
  "to-device": 15,
  account: 15,
  pusher: 15,
  background: 15,
  "user-directory": 15,
  "device-lists": 15,
  receipts: 15,
  "federation-sender": 15,
};

export function workerClasses(settings: Settings): WorkerClass[] {
  const own = settings.ccu >= OWN_WRITERS_CCU;
  const absent = new Set<WorkerClass>([
    ...(own ? [] : (["to-device", "presence"] as const)),
    ...(settings.presence.enabled ? [] : (["presence"] as const)),
    ...(settings.federation.enabled ? [] : (["federation-reader", "federation-sender"] as const)),
  ]);
  return WORKER_CLASSES.filter((c) => !absent.has(c));
}

export function streamWriters(settings: Settings): Record<Stream, WorkerClass> {
  const present = new Set(workerClasses(settings));
  return {
    events: "event-persister",
    typing: "ephemeral",
    // The stream needs a writer even while nobody may set a presence.
    presence: present.has("presence") ? "presence" : "ephemeral",
    to_device: present.has("to-device") ? "to-device" : "account",
    account_data: "account",
    push_rules: "account",
    receipts: "receipts",
    thread_subscriptions: "receipts",
    device_lists: "device-lists",
    quarantined_media_changes: "media",
  };
}

export function synapsePools(settings: Settings): PoolPlan[] {
  return workerClasses(settings).map((cls) => pool(cls, settings.ccu, overrideOf(settings, cls)));
}

export const overrideOf = (settings: Settings, cls: WorkerClass): PoolOverride => settings.overrides.pools[cls] ?? {};

function pool(cls: WorkerClass, ccu: number, override: PoolOverride): PoolPlan {
  const anchor = POOLS[cls];
  const autoscaled = AUTOSCALED.includes(cls);
  const replicas = override.replicas ?? Math.min(count(anchor.replicas.row, ccu), override.maxReplicas ?? Infinity);
  const maxReplicas = autoscaled ? (override.maxReplicas ?? Math.ceil(replicas * AUTOSCALE_FACTOR)) : replicas;
  const recoverySeconds = RECOVERY_SECONDS[cls];
  return {
    class: cls,
    kind: autoscaled ? "Deployment" : "StatefulSet",
    replicas,
    maxReplicas,
    cpu: override.cpu ?? cores(anchor.cpu.row, ccu),
    memoryMiB: override.memoryMiB ?? memoryMiB(anchor.memoryGiB.row, ccu),
    cpMin: Math.min(CP_MIN, override.cpMax ?? CP_MIN),
    cpMax: override.cpMax ?? Math.floor(interpolate(anchor.cpMax.row, ccu)),
    ...(recoverySeconds !== undefined ? { recoverySeconds } : {}),
  };
}

/** Overrides that no Synapse could start with. */
export function poolOverrideErrors(settings: Settings): SettingsError[] {
  const present = workerClasses(settings);
  return Object.entries(settings.overrides.pools).flatMap(([name, o]) => {
    const path = `overrides.pools.${name}`;
    const cls = name as WorkerClass;
    if (!(WORKER_CLASSES as readonly string[]).includes(name)) {
      return [
        { path, given: name, allowed: `one of ${WORKER_CLASSES.join(", ")}`, remedy: "correct the name of the class" },
      ];
    }
    if (!present.includes(cls)) {
      return [
        { path, given: name, allowed: `a class of this deployment: ${present.join(", ")}`, remedy: whyAbsent(cls) },
      ];
    }
    return [
      ...wholeErrors(o, ["replicas", "maxReplicas"]),
      ...scalingErrors(cls, o, settings.ccu),
      ...sizeErrors(o),
    ].map(({ key, allowed, remedy }): SettingsError => ({
      path: `${path}.${key}`,
      given: String(o[key]),
      allowed,
      remedy,
    }));
  });
}

interface WrongOverride {
  key: keyof PoolOverride;
  allowed: string;
  remedy: string;
}
const WHOLE = { allowed: "a whole number from 1", remedy: "leave it out to take the planned number" };
const wholeErrors = (o: PoolOverride, keys: Array<keyof PoolOverride>): WrongOverride[] =>
  keys.filter((key) => o[key] !== undefined && !isCount(o[key])).map((key) => ({ key, ...WHOLE }));

/** How many processes Synapse and the autoscaler take. */
function scalingErrors(cls: WorkerClass, { replicas, maxReplicas }: PoolOverride, ccu: number): WrongOverride[] {
  const errors: WrongOverride[] = [];
  if (SINGLETONS.includes(cls) && (replicas ?? 1) > 1)
    errors.push({
      key: "replicas",
      allowed: "exactly 1: Synapse takes one process of this class",
      remedy: "leave it out; a restart takes seconds",
    });
  if (maxReplicas === undefined) return errors;
  if (!AUTOSCALED.includes(cls)) {
    if (maxReplicas !== (replicas ?? count(POOLS[cls].replicas.row, ccu)))
      errors.push({
        key: "maxReplicas",
        allowed: `only for autoscaled classes (${AUTOSCALED.join(", ")})`,
        remedy: "set replicas instead",
      });
  } else if (replicas !== undefined && maxReplicas < replicas)
    errors.push({
      key: "maxReplicas",
      allowed: `at least replicas (${replicas})`,
      remedy: "raise maxReplicas or lower replicas",
    });
  return errors;
}

function sizeErrors(o: PoolOverride): WrongOverride[] {
  const errors: WrongOverride[] = [];
  if (o.cpu !== undefined && !(o.cpu > 0))
    errors.push({
      key: "cpu",
      allowed: "more than 0 cores",
      remedy: "give the cores that a process may count on, for example 0.5",
    });
  if (o.memoryMiB !== undefined && o.memoryMiB < 96)
    errors.push({
      key: "memoryMiB",
      allowed: "at least 96: an idle process needs 125 to 138 MiB with its limit at 1.5 x",
      remedy: "give at least 128",
    });
  return [...errors, ...wholeErrors(o, ["cpMax"])];
}

function whyAbsent(cls: WorkerClass): string {
  if (cls.startsWith("federation-")) return "set federation.enabled to true, or remove the override";
  if (cls === "presence")
    return `the class exists from ${OWN_WRITERS_CCU} users on with presence.enabled; below, override "ephemeral"`;
  return `the class exists from ${OWN_WRITERS_CCU} users on; below, override "account"`;
}

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1;

export function synapseTuning(settings: Settings): Omit<Plan["synapse"], "pools" | "streamWriters"> {
  const { ccu, overrides } = settings;
  return {
    eventCacheSize: overrides.synapse.eventCacheSize ?? `${count(SYNAPSE.eventCacheThousands.row, ccu)}K`,
    globalCacheFactor:
      overrides.synapse.globalCacheFactor ?? round2(ceilTo(interpolate(SYNAPSE.globalCacheFactor.row, ccu), 0.05)),
    messagesPerSecond: count(SYNAPSE.messagesPerSecond.row, ccu),
    rateLimits: {
      messagesPerSecond: count(SYNAPSE.rateMessagesPerSecond.row, ccu),
      messagesBurst: count(SYNAPSE.rateMessagesBurst.row, ccu),
    },
  };
}
