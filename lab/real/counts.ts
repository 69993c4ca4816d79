/** Counts the checks of a run; lab/real/run.ts prints the numbers and writes them down. */
import * as fs from "node:fs";

const counts: Record<string, number> = {};
const notes: string[] = [];
const once: Record<string, string[]> = {};

export function count(what: string, n = 1): void {
  counts[what] = (counts[what] ?? 0) + n;
}
/** Counts each thing once, however many tests look at it. */
export function countOnce(what: string, key: string): void {
  const keys = (once[what] ??= []);
  if (!keys.includes(key)) keys.push(key);
}
/** A figure or a deviation that a reader should know. */
export function note(text: string): void {
  if (!notes.includes(text)) notes.push(text);
}

/** What one process counted. */
export interface Counted {
  counts: Record<string, number>;
  once: Record<string, string[]>;
  notes: string[];
}

/** Adds up the numbers of several processes: a thing counted once by each counts once. Pure. */
export function together(all: readonly Counted[]): Record<string, number> {
  const sum: Record<string, number> = {},
    keys: Record<string, Set<string>> = {};
  for (const c of all) {
    for (const [what, list] of Object.entries(c.once))
      sum[what] = (keys[what] = new Set([...(keys[what] ?? []), ...list])).size;
    for (const [what, n] of Object.entries(c.counts)) sum[what] = (sum[what] ?? 0) + n;
  }
  return sum;
}

process.on("exit", () => {
  const file = process.env.REAL_COUNTS;
  if (file) fs.writeFileSync(file, JSON.stringify({ counts, once, notes }));
});
