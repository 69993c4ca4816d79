/** Rows of the sizing: a number for each size that was run, and where it comes from. Pure. */

/** Concurrent users of the sizes that were run: a row has one value for each. */
export const ANCHOR_CCU = [100, 1_000, 5_000, 10_000, 20_000] as const;

/** One value for each of ANCHOR_CCU; it never falls from left to right (test/sizing checks that). */
export type Row = readonly [number, number, number, number, number];

/** A row with its unit and its origin. */
export interface Anchor {
  /** The values, in `unit`. */
  row: Row;
  /** Unit, for people. @example "vCPU" */
  unit: string;
  /** `run`: a deployment of that size was run with it; `decision`: our choice, not measured. */
  origin: "run" | "decision";
  /** Reason for a decision; absent for `run`. */
  why?: string;
}

/** A row that was run. @example run("processes", 2, 4, 8, 12, 16) */
export const run = (unit: string, ...row: Row): Anchor => ({ row, unit, origin: "run" });
/** A row that was decided, with the reason. @example decision("one busy core at most", "vCPU", 0.25, 1, 1.5, 2, 2) */
export const decision = (why: string, unit: string, ...row: Row): Anchor => ({ row, unit, origin: "decision", why });
