/** Rows of the sizing: a number for each size that was run, and where it comes from. Pure. */

/** Concurrent users of the sizes that were run: a row has one value for each. */
export const ANCHOR_CCU = [100, 1_000, 5_000, 10_000, 20_000] as const;

/** One value for each of ANCHOR_CCU; never falling. */
export type Row = readonly [number, number, number, number, number];

/** A row with its unit and its origin. */
export interface Anchor {
  row: Row;
  unit: string;
  /** `run`: a deployment of that size was run with it; `decision`: nothing was measured, our choice. */
  origin: "run" | "decision";
  /** The reason of a decision. */
  why?: string;
}

/** What was run. @example run("processes", 2, 4, 8, 12, 16) */
export const run = (unit: string, ...row: Row): Anchor => ({ row, unit, origin: "run" });
/** What was decided, and why. @example decision("one busy core at most", "vCPU", 0.25, 1, 1.5, 2, 2) */
export const decision = (why: string, unit: string, ...row: Row): Anchor => ({ row, unit, origin: "decision", why });
