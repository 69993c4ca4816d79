/** The classes of Synapse processes at a number of users, and which of them writes each stream. */
import type { PoolOverride, Settings, SettingsError } from "../settings/types";
import { SYNAPSE } from "./anchors";
import { ceilTo, cores, count, interpolate, memoryMiB, round2 } from "./interpolate";
import type { Plan, PoolPlan } from "./types";
import {
  classesScaled,
  isWorkerClass,
  kindOf,
  STREAMS,
  WORKER_CLASSES,
  writerOf,
  type Stream,
  type WorkerClass,
} from "../domain/workerClasses";
import { WORKERS } from "../domain/workers";

/** An autoscaler may add and remove them. */
export const AUTOSCALED: readonly WorkerClass[] = classesScaled("autoscaled");

/** Autoscalers may go to one and a half of the starting replicas: the peak that messages per second allow for. */
const AUTOSCALE_FACTOR = 1.5;

/** Connections that a process opens at its start and never closes (cp_min); measured with 3. */
export const CP_MIN = 3;

/** The classes of a deployment: those whose needs its settings meet. */
export function workerClasses(settings: Settings): WorkerClass[] {
  return WORKER_CLASSES.filter((cls) => {
    const { federation, presence, ccu } = WORKERS[cls].needs ?? {};
    return (
      (!federation || settings.federation.enabled) &&
      (!presence || settings.presence.enabled) &&
      (ccu === undefined || settings.ccu >= ccu)
    );
  });
}

export function streamWriters(settings: Settings): Record<Stream, WorkerClass> {
  const present = new Set(workerClasses(settings));
  const writer = (cls: WorkerClass): WorkerClass => (present.has(cls) ? cls : writer(WORKERS[cls].otherwise ?? "main"));
  return Object.fromEntries(STREAMS.map((stream) => [stream, writer(writerOf(stream))])) as Record<Stream, WorkerClass>;
}

export function synapsePools(settings: Settings): PoolPlan[] {
  return workerClasses(settings).map((cls) => pool(cls, settings.ccu, overrideOf(settings, cls)));
}

export const overrideOf = (settings: Settings, cls: WorkerClass): PoolOverride => settings.overrides.pools[cls] ?? {};

function pool(cls: WorkerClass, ccu: number, override: PoolOverride): PoolPlan {
  const { size, loss } = WORKERS[cls];
  const autoscaled = AUTOSCALED.includes(cls);
  const replicas = override.replicas ?? Math.min(count(size.replicas.row, ccu), override.maxReplicas ?? Infinity);
  const maxReplicas = autoscaled ? (override.maxReplicas ?? Math.ceil(replicas * AUTOSCALE_FACTOR)) : replicas;
  return {
    class: cls,
    kind: kindOf(cls),
    replicas,
    maxReplicas,
    cpu: override.cpu ?? cores(size.cpu.row, ccu),
    memoryMiB: override.memoryMiB ?? memoryMiB(size.memoryGiB.row, ccu),
    cpMin: Math.min(CP_MIN, override.cpMax ?? CP_MIN),
    cpMax: override.cpMax ?? Math.floor(interpolate(size.cpMax.row, ccu)),
    ...(loss.seconds !== undefined ? { recoverySeconds: loss.seconds } : {}),
  };
}

/** Overrides that no Synapse could start with. */
export function poolOverrideErrors(settings: Settings): SettingsError[] {
  const present = workerClasses(settings);
  return Object.entries(settings.overrides.pools).flatMap(([name, o]) => {
    const path = `overrides.pools.${name}`;
    if (!isWorkerClass(name)) {
      return [
        { path, given: name, allowed: `one of ${WORKER_CLASSES.join(", ")}`, remedy: "correct the name of the class" },
      ];
    }
    if (!present.includes(name)) {
      return [
        { path, given: name, allowed: `a class of this deployment: ${present.join(", ")}`, remedy: whyAbsent(name) },
      ];
    }
    return [
      ...wholeErrors(o, ["replicas", "maxReplicas"]),
      ...scalingErrors(name, o, settings.ccu),
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
  if (WORKERS[cls].scaling.mode === "single" && (replicas ?? 1) > 1)
    errors.push({
      key: "replicas",
      allowed: "exactly 1: Synapse takes one process of this class",
      remedy: "leave it out; a restart takes seconds",
    });
  if (maxReplicas === undefined) return errors;
  if (!AUTOSCALED.includes(cls)) {
    if (maxReplicas !== (replicas ?? count(WORKERS[cls].size.replicas.row, ccu)))
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
  const { needs = {}, otherwise } = WORKERS[cls];
  if (needs.federation) return "set federation.enabled to true, or remove the override";
  const when = [
    ...(needs.ccu === undefined ? [] : [`from ${needs.ccu} users on`]),
    ...(needs.presence ? ["with presence.enabled"] : []),
  ];
  return `the class exists ${when.join(" ")}; ${needs.ccu === undefined ? "otherwise" : "below"}, override "${otherwise ?? "main"}"`;
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
