/** Synapse's worker classes and streams by name, derived from the table in workers.ts. Pure. */
import type { Destination, NamingOption, Scaling, StreamFacts } from "./workerFacts";
import { WORKERS, type Stream, type WorkerClass } from "./workers";

export type { Stream, WorkerClass } from "./workers";

/** Most pods of one workload that overrides accept. Event persisters have a port for each possible number of them. */
export const MAX_REPLICAS = 500;

/** The classes of Synapse processes, in the table's order. */
export const WORKER_CLASSES = Object.keys(WORKERS) as WorkerClass[] as readonly WorkerClass[];
/** Whether a class has this name. */
export const isWorkerClass = (name: string): name is WorkerClass => Object.hasOwn(WORKERS, name);

/** Each stream with its writer in the table, in the order of `stream_writers`. */
const WRITTEN = WORKER_CLASSES.flatMap((writer) =>
  Object.entries(WORKERS[writer].streams).map(([name, facts]) => ({ name: name as Stream, writer, facts })),
).sort((a, b) => a.facts.place - b.facts.place);

/** Streams of Synapse with configurable writers, in the order of `stream_writers`. */
export const STREAMS: readonly Stream[] = WRITTEN.map((s) => s.name);
/** Facts about a stream, whichever class writes it. */
export const streamFacts = (stream: Stream): StreamFacts => written(stream).facts;
/** The class that writes a stream according to the table. The settings decide whether a deployment has that class. */
export const writerOf = (stream: Stream): WorkerClass => written(stream).writer;
const written = (stream: Stream): (typeof WRITTEN)[number] => WRITTEN.find((s) => s.name === stream)!;

/** Classes that scale in this way, in the table's order. */
export const classesScaled = (mode: Scaling["mode"]): WorkerClass[] =>
  WORKER_CLASSES.filter((cls) => WORKERS[cls].scaling.mode === mode);

/** Why a class may have only one process. Undefined where it has two or more in every stack. */
export function whyAlone(cls: WorkerClass): string | undefined {
  const { scaling } = WORKERS[cls];
  if (scaling.mode === "single") return scaling.why;
  return scaling.mode === "fixed" && scaling.alone ? `${scaling.why}: ${scaling.alone}` : undefined;
}

/** StatefulSet where peers must find a pod by name or Synapse allows no second one, Deployment elsewhere. */
export const kindOf = (cls: WorkerClass): "StatefulSet" | "Deployment" =>
  WORKERS[cls].scaling.mode === "autoscaled" ? "Deployment" : "StatefulSet";

/** Whether processes of a class call this destination; their network policy must then allow it. */
export const callsTo = (cls: WorkerClass, destination: Destination): boolean =>
  WORKERS[cls].calls?.includes(destination) ?? false;
/** The classes whose processes an option of homeserver.yaml names: the first of them that a deployment has. */
export const namedBy = (option: NamingOption): WorkerClass[] =>
  WORKER_CLASSES.filter((cls) => WORKERS[cls].namedBy?.includes(option));
