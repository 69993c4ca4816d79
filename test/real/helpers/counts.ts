/** What was checked, counted as it is checked; the run prints it and writes it down (scripts/real-test.ts). */
import * as fs from "node:fs";

const counts: Record<string, number> = {};
const notes: string[] = [];
const seen = new Set<string>();

export function count(what: string, n = 1): void { counts[what] = (counts[what] ?? 0) + n; }
/** Counts each thing once, however many tests look at it. */
export function countOnce(what: string, key: string): void { if (!seen.has(`${what} ${key}`)) { seen.add(`${what} ${key}`); count(what); } }
/** A figure or a difference that a reader should know. */
export function note(text: string): void { if (!notes.includes(text)) notes.push(text); }

process.on("exit", () => {
  const file = process.env.REAL_COUNTS;
  if (file) fs.writeFileSync(file, JSON.stringify({ counts, notes }));
});
