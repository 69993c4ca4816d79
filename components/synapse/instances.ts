/** Which processes there are, by name, and which of them others must find. Pure. */
import { NAMESPACES, podFqdn, synapseService } from "../names";
import { STREAMS, type Plan, type PoolPlan, type Stream, type WorkerClass } from "../sizing/types";

/** Streams of which Synapse takes exactly one writer: a second is a ConfigError in every process. */
export const SINGLE_WRITER_STREAMS: readonly Stream[] = ["typing", "to_device", "account_data", "presence", "push_rules"];

export const poolOf = (plan: Plan, cls: WorkerClass): PoolPlan | undefined => plan.synapse.pools.find((p) => p.class === cls);

/** Names of a class's processes: pod names, which only a StatefulSet makes predictable. */
export function instanceNames(plan: Plan, cls: WorkerClass): string[] {
  const pool = poolOf(plan, cls);
  if (!pool) return [];
  if (pool.kind !== "StatefulSet") throw new Error(`synapse: processes of class ${cls} must have known names, so its pool must be a StatefulSet, not a ${pool.kind}`);
  return Array.from({ length: pool.replicas }, (_, i) => `${synapseService(cls)}-${i}`);
}

/** Writers by stream, of the streams that have left the main process. */
export function streamWriters(plan: Plan): Partial<Record<Stream, string[]>> {
  const writers: Partial<Record<Stream, string[]>> = {};
  for (const stream of STREAMS) {
    const cls = plan.synapse.streamWriters[stream];
    if (cls === "main" || !poolOf(plan, cls)) continue;
    const names = instanceNames(plan, cls);
    if (names.length !== 1 && SINGLE_WRITER_STREAMS.includes(stream)) {
      throw new Error(`synapse: stream ${stream} has ${names.length} writers (class ${cls}); Synapse takes exactly one: set overrides.pools.${cls}.replicas to 1`);
    }
    writers[stream] = names;
  }
  return writers;
}

/** Classes with a replication listener: main and every writer. */
export function isWriter(plan: Plan, cls: WorkerClass): boolean {
  return cls === "main" || (poolOf(plan, cls) !== undefined && STREAMS.some((s) => plan.synapse.streamWriters[s] === cls));
}

/** Class whose loss nothing makes good: one process, or work that is divided among the processes by name. */
export const isSingleton = (pool: PoolPlan): boolean => pool.kind === "StatefulSet" && pool.class !== "media";

export const mainHost = (clusterDomain: string): string => instanceHost("main", 0, clusterDomain);
export function instanceHost(cls: WorkerClass, index: number, clusterDomain: string): string {
  const service = synapseService(cls);
  return podFqdn(`${service}-${index}`, service, NAMESPACES.matrix, clusterDomain);
}
