/** The classes of Synapse processes at a number of users, and which of them writes each stream. */
import type { PoolOverride, Settings } from "../settings/types";
import { SYNAPSE } from "./anchors";
import { ceilTo, cores, count, interpolate, memoryMiB, round2 } from "./interpolate";
import { loadOf, processesFor, UTILISATION, type Load } from "./load";
import type { Plan, PoolPlan } from "./types";
import {
  classesScaled,
  kindOf,
  MAX_REPLICAS,
  STREAMS,
  WORKER_CLASSES,
  writerOf,
  type Stream,
  type WorkerClass,
} from "../domain/workerClasses";
import { WORKERS } from "../domain/workers";

/** Classes whose processes an autoscaler may add and remove. */
export const AUTOSCALED: readonly WorkerClass[] = classesScaled("autoscaled");

/** Autoscalers may go to one and a half times the starting replicas: the peak that messagesPerSecond allows for. */
const AUTOSCALE_FACTOR = 1.5;

/**
 * Cores that one process can keep busy: Python runs one thread of it at a time (its interpreter lock). A larger request
 * would reserve cores that nothing uses, and an autoscaler, which compares the usage with the request, would never act:
 * 70 % of two cores is more than a process can reach. Requests are no limits: what runs outside of the interpreter
 * (TLS, thumbnails) may still use a second core for a moment.
 */
export const PROCESS_CORES = 1;

/** Scale out when 70 % of what a process can use is in use: scaling late slows all requests on a process. */
const SCALE_AT = UTILISATION;

/**
 * The autoscaler's target, percent of the request: 70 % of a request of up to a core. An override may request more for
 * each process; the target then stays at what a process can reach.
 */
export const scaleAtPercent = (requestedCpu: number): number =>
  Math.max(1, Math.floor((100 * SCALE_AT * Math.min(requestedCpu, PROCESS_CORES)) / requestedCpu));

/** Connections that a process opens at its start and never closes (cp_min); measured with 3. */
export const CP_MIN = 3;

/** The classes of a deployment: those whose needs its settings meet. */
export function workerClasses(settings: Settings): WorkerClass[] {
  return WORKER_CLASSES.filter((cls) => {
    const { federation, presence, appservices, ccu } = WORKERS[cls].needs ?? {};
    return (
      (!federation || settings.federation.enabled) &&
      (!presence || settings.presence.enabled) &&
      (!appservices || settings.appservices.length > 0) &&
      (ccu === undefined || settings.ccu >= ccu)
    );
  });
}

/** The class that writes each stream: the one in the table, or its stand-in where this deployment does not have it. */
export function streamWriters(settings: Settings): Record<Stream, WorkerClass> {
  const present = new Set(workerClasses(settings));
  const writer = (cls: WorkerClass): WorkerClass => (present.has(cls) ? cls : writer(WORKERS[cls].otherwise ?? "main"));
  return Object.fromEntries(STREAMS.map((stream) => [stream, writer(writerOf(stream))])) as Record<Stream, WorkerClass>;
}

/** Number and size of each class's processes, in the order of the table. */
export function synapsePools(settings: Settings): PoolPlan[] {
  const load = loadOf(settings);
  return workerClasses(settings).map((cls) => pool({ cls, load, ccu: settings.ccu }, overrideOf(settings, cls)));
}

/** Processes of each class without regard to the activity: what the settings give, or the deployments had. */
export const usualProcesses = (settings: Settings): Array<Pick<PoolPlan, "class" | "replicas">> =>
  workerClasses(settings).map((cls) => ({
    class: cls,
    replicas: overrideOf(settings, cls).replicas ?? count(WORKERS[cls].size.replicas.row, settings.ccu),
  }));

/** Sizes of a class that the settings give; empty where they give none. */
export const overrideOf = (settings: Settings, cls: WorkerClass): PoolOverride => settings.overrides.pools[cls] ?? {};

interface PoolInput {
  cls: WorkerClass;
  ccu: number;
  load: Load;
}

/**
 * Processes of a class: those of the deployments that were run, and more where the activity needs more. With the usual
 * activity it does not (test/sizing/load.test.ts): an autoscaler's range holds the peak.
 */
function numberOf({ cls, ccu, load }: PoolInput): number {
  const usual = count(WORKERS[cls].size.replicas.row, ccu);
  // Where following alone fills a process no number suffices: the ceiling is the error (ceiling.ts).
  const needed = WORKERS[cls].scaling.mode === "single" ? 1 : Math.min(MAX_REPLICAS, processesFor(load, cls));
  return Math.max(usual, AUTOSCALED.includes(cls) ? Math.ceil(needed / AUTOSCALE_FACTOR) : needed);
}

function pool(input: PoolInput, override: PoolOverride): PoolPlan {
  const { cls, ccu } = input;
  const { size, loss } = WORKERS[cls];
  const autoscaled = AUTOSCALED.includes(cls);
  const replicas = override.replicas ?? Math.min(numberOf(input), override.maxReplicas ?? Infinity);
  const maxReplicas = autoscaled ? (override.maxReplicas ?? Math.ceil(replicas * AUTOSCALE_FACTOR)) : replicas;
  return {
    class: cls,
    kind: kindOf(cls),
    replicas,
    maxReplicas,
    cpu: override.cpu ?? Math.min(PROCESS_CORES, cores(size.cpu.row, ccu)),
    memoryMiB: override.memoryMiB ?? memoryMiB(size.memoryGiB.row, ccu),
    cpMin: Math.min(CP_MIN, override.cpMax ?? CP_MIN),
    cpMax: override.cpMax ?? Math.floor(interpolate(size.cpMax.row, ccu)),
    ...(loss.seconds !== undefined ? { recoverySeconds: loss.seconds } : {}),
  };
}

/** Caches, rate limits and expected load of Synapse as a whole. */
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
