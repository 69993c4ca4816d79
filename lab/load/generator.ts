/** Sends requests when they are due, whether or not earlier ones have been answered, and counts what comes of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Client } from "./client";
import type { Operation } from "./operations";
import { percentile } from "./statistics";

/** What became of the requests of one kind. */
export interface Figures {
  offered: number;
  served: number;
  /** By the server's limits, or because it is full: 429 and 503. */
  refused: number;
  failed: number;
  /** Milliseconds from when the request was due to the end of its answer; undefined without any served. */
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
}

class Counted {
  offered = 0;
  refused = 0;
  failed = 0;
  readonly times: number[] = [];

  note({ status }: Answer, ms: number): void {
    if (status === 200) this.times.push(ms);
    else if (status === 429 || status === 503) this.refused += 1;
    else this.failed += 1;
  }
  figures(): Figures {
    const { offered, refused, failed, times } = this;
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(times, share));
    return { offered, served: times.length, refused, failed, p50, p95, p99 };
  }
}

export interface Due<K extends string> {
  kind: K;
  /** Seconds from the start. */
  at: number;
}

/**
 * @param make The request of a kind; undefined when there is nothing to ask, which is not counted.
 * @returns When every request has an answer or was given up.
 */
export async function generate<K extends string>(
  client: Client,
  due: ReadonlyArray<Due<K>>,
  make: (kind: K) => Operation | undefined,
): Promise<Map<K, Figures>> {
  const counted = new Map<K, Counted>(),
    open: Array<Promise<void>> = [];
  const started = performance.now();
  const one = async (kind: K, at: number): Promise<void> => {
    const operation = make(kind);
    if (!operation) return;
    const counts = counted.get(kind) ?? new Counted();
    counted.set(kind, counts);
    counts.offered += 1;
    const answer = await client.ask(operation.asked);
    counts.note(answer, performance.now() - started - at * 1000);
    if (answer.status === 200) operation.then?.(answer);
  };
  for (const { kind, at } of due) {
    const wait = at * 1000 - (performance.now() - started);
    if (wait > 0) await sleep(wait);
    open.push(one(kind, at));
  }
  await Promise.all(open);
  return new Map([...counted].map(([kind, c]) => [kind, c.figures()]));
}
