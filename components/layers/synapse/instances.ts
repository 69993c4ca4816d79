/** Which processes there are, by name, and which of them others must find. Pure. */
import { NAMESPACES, podFqdn, PORTS, synapseService } from "../../core/names";
import type { Plan, PoolPlan } from "../../sizing/types";
import {
  MAX_REPLICAS,
  STREAMS,
  streamFacts,
  WORKER_CLASSES,
  writerOf,
  type Stream,
  type WorkerClass,
} from "../../domain/workerClasses";
import { START_ORDER } from "../../domain/workerFacts";
import { WORKERS } from "../../domain/workers";

/** The plan of a class; undefined where this deployment does not have it. */
export const poolOf = (plan: Plan, cls: WorkerClass): PoolPlan | undefined =>
  plan.synapse.pools.find((p) => p.class === cls);

/**
 * Names of a class's processes: pod names, which only a StatefulSet makes predictable. Empty where the plan lacks the
 * class. @throws Error for a class whose pool is a Deployment
 */
export function instanceNames(plan: Plan, cls: WorkerClass): string[] {
  const pool = poolOf(plan, cls);
  if (!pool) return [];
  if (pool.kind !== "StatefulSet")
    throw new Error(
      `synapse: processes of class ${cls} must have known names, so its pool must be a StatefulSet, not a ${pool.kind}`,
    );
  return Array.from({ length: pool.replicas }, (_, i) => `${synapseService(cls)}-${i}`);
}

/**
 * Names of the writers by stream, for the streams that main does not write.
 * @throws Error where a stream that takes one writer has another number
 */
export function streamWriters(plan: Plan): Partial<Record<Stream, string[]>> {
  const writers: Partial<Record<Stream, string[]>> = {};
  for (const stream of STREAMS) {
    const cls = plan.synapse.streamWriters[stream];
    if (cls === "main" || !poolOf(plan, cls)) continue;
    const names = instanceNames(plan, cls);
    if (names.length !== 1 && streamFacts(stream).single) {
      throw new Error(
        `synapse: stream ${stream} has ${names.length} writers (class ${cls}); Synapse takes exactly one: set overrides.pools.${cls}.replicas to 1`,
      );
    }
    writers[stream] = names;
  }
  return writers;
}

/** Whether a class has a replication listener: main and every writer do. */
export function isWriter(plan: Plan, cls: WorkerClass): boolean {
  return (
    cls === "main" || (poolOf(plan, cls) !== undefined && STREAMS.some((s) => plan.synapse.streamWriters[s] === cls))
  );
}

/** Whether a class writes events in this plan. */
export const writesEvents = (plan: Plan, cls: WorkerClass): boolean => plan.synapse.streamWriters.events === cls;

/**
 * Port on which a writer accepts the other processes' requests. For event persisters the port encodes their number:
 * that number decides which of them a room's events belong to, and a persister that receives another's answers 500
 * (Synapse asserts it, handlers/message.py). While the number changes, old and new processes share no port. A refused
 * connection is tried again for a minute (RETRY_ON_CONNECT_ERROR_ATTEMPTS of replication/http/_base.py); a 500 would
 * reach the client.
 */
export const replicationPort = (plan: Plan, cls: WorkerClass): number =>
  writesEvents(plan, cls)
    ? PORTS.synapseEventReplication + (poolOf(plan, cls)?.replicas ?? 0)
    : PORTS.synapseReplication;
/** All ports that event persisters may have. */
export const EVENT_REPLICATION_PORTS = {
  port: PORTS.synapseEventReplication + 1,
  endPort: PORTS.synapseEventReplication + MAX_REPLICAS,
} as const;

/** Classes that hand events to the persisters, beside main: writes in rooms by clients and by other servers. */
export const EVENT_SENDERS: readonly WorkerClass[] = WORKER_CLASSES.filter(
  (cls) => WORKERS[cls].start === "events" && cls !== writerOf("events"),
);

/** Groups of classes that start after the main process, in order; each starts when the one before it is ready. */
export function startOrder(plan: Plan): WorkerClass[][] {
  const workers = plan.synapse.pools.map((p) => p.class);
  return START_ORDER.filter((group) => group !== "main").map((group) =>
    workers.filter((cls) => WORKERS[cls].start === group),
  );
}

/**
 * Whether each process of the class may exist only once: peers or Synapse's configuration know it by its name, and a
 * second of that name would damage data or do its work twice. scripts/only_one.py guards them.
 */
export const isAlone = (pool: PoolPlan): boolean => pool.kind === "StatefulSet";

/** Whether no other process takes over a lost one: there is one, or their work is divided among them by name. */
export const isSingleton = (pool: PoolPlan): boolean => WORKERS[pool.class].loss.seconds !== undefined;

/** DNS name of a class's process by its index, in a StatefulSet. */
export function instanceHost(cls: WorkerClass, index: number, clusterDomain: string): string {
  const service = synapseService(cls);
  return podFqdn(`${service}-${index}`, service, NAMESPACES.matrix, clusterDomain);
}
