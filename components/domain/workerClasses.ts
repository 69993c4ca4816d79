/** Synapse's worker classes and streams, by name: what follows from the table of workers.ts. Pure. */
import type { Destination, NamingOption, Scaling, StreamFacts } from "./workerFacts";
import { WORKERS, type Stream, type WorkerClass } from "./workers";

export type { Stream, WorkerClass } from "./workers";

/** The most pods of one workload that overrides take. Event persisters have a port for each number of them. */
export const MAX_REPLICAS = 500;

/** The classes of Synapse processes, in the table's order. */
export const WORKER_CLASSES = Object.keys(WORKERS) as WorkerClass[] as readonly WorkerClass[];
export const isWorkerClass = (name: string): name is WorkerClass => Object.hasOwn(WORKERS, name);

/** Each stream and the class that writes it where that exists, in the order of `stream_writers`. */
const WRITTEN = WORKER_CLASSES.flatMap((writer) =>
  Object.entries(WORKERS[writer].streams).map(([name, facts]) => ({ name: name as Stream, writer, facts })),
).sort((a, b) => a.facts.place - b.facts.place);

/** Streams of Synapse with configurable writers, in the order of `stream_writers`. */
export const STREAMS: readonly Stream[] = WRITTEN.map((s) => s.name);
/** What is known of a stream, whichever class writes it. */
export const streamFacts = (stream: Stream): StreamFacts => written(stream).facts;
/** The class that the table gives a stream to; whether it exists, settings say. */
export const writerOf = (stream: Stream): WorkerClass => written(stream).writer;
const written = (stream: Stream): (typeof WRITTEN)[number] => WRITTEN.find((s) => s.name === stream)!;

/** Classes whose number of processes is up to the autoscaler, the plan, or Synapse; in the table's order. */
export const classesScaled = (mode: Scaling["mode"]): WorkerClass[] =>
  WORKER_CLASSES.filter((cls) => WORKERS[cls].scaling.mode === mode);

/** Why a class may have one process only; undefined: it has two or more in every stack. */
export function whyAlone(cls: WorkerClass): string | undefined {
  const { scaling } = WORKERS[cls];
  if (scaling.mode === "single") return scaling.why;
  return scaling.mode === "fixed" && scaling.alone ? `${scaling.why}: ${scaling.alone}` : undefined;
}

/** StatefulSet where peers must find a pod by name or Synapse allows no second one, Deployment elsewhere. */
export const kindOf = (cls: WorkerClass): "StatefulSet" | "Deployment" =>
  WORKERS[cls].scaling.mode === "autoscaled" ? "Deployment" : "StatefulSet";

/** Whether processes of a class call there, so that their network policy must allow it. */
export const callsTo = (cls: WorkerClass, destination: Destination): boolean =>
  WORKERS[cls].calls?.includes(destination) ?? false;
/** The class whose processes an option of homeserver.yaml names; undefined: no class is there for it. */
export const namedBy = (option: NamingOption): WorkerClass | undefined =>
  WORKER_CLASSES.find((cls) => WORKERS[cls].namedBy?.includes(option));
