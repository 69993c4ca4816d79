/** When requests are due: independent of how fast they are answered (open loop). Pure. */
import type { Random } from "./random";

/**
 * Arrivals of a Poisson process, in seconds from the start, in order.
 *
 * @param rate Arrivals a second on average; 0 has none.
 */
export function arrivals(random: Random, rate: number, seconds: number): number[] {
  const out: number[] = [];
  if (rate <= 0) return out;
  for (let at = 0; ;) {
    at += -Math.log(1 - random()) / rate;
    if (at >= seconds) return out;
    out.push(at);
  }
}

/**
 * Arrivals at even distances, each moved at random within its interval: as many in every window of that length. For
 * measurements, where the spread of a Poisson process in a short window would only add to the error.
 */
export function evenArrivals(random: Random, rate: number, seconds: number): number[] {
  return Array.from({ length: Math.round(rate * seconds) }, (_, i) => (i + random()) / rate).filter(
    (at) => at < seconds,
  );
}

/** Kinds of requests with their arrivals, as one list in order of time. */
export function merged<K extends string>(byKind: ReadonlyMap<K, readonly number[]>): Array<{ kind: K; at: number }> {
  return [...byKind].flatMap(([kind, times]) => times.map((at) => ({ kind, at }))).sort((x, y) => x.at - y.at);
}
