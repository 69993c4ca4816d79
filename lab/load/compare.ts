/** Whether something costs more than was recorded, and whether a run took what the costs foretell. Pure. */
import { costRow, type CostFile, type CostRow } from "../../components/sizing/costs";
import type { Report } from "./run";

/** A rise above it fails. */
export const RISE = 0.15;
/** What a run took may be so far from what the costs foretell. */
export const OFF = 0.25;
/** Parts below this share of a run's CPU are not judged: their errors are larger than they are. */
const SMALL = 0.05;

export interface Risen {
  row: CostRow;
  /** What was recorded, in CPU seconds of the new run's machine. */
  recorded: number;
  /** How much more it is, as a share. */
  by: number;
}

/**
 * What costs over 15 % more than recorded, each machine's CPU seconds told by its calibration. Of an operation as a
 * whole any such rise counts; of one part only one that is more than twice the errors of both.
 */
export function risen(now: CostFile, recorded: CostFile): Risen[] {
  const speed = now.calibration.python / recorded.calibration.python;
  return now.rows.flatMap((row) => {
    const before = costRow(recorded, row.operation, row.part);
    const both = before?.how === "measured" && row.how === "measured" && before.known === true && row.known === true;
    if (!both || before.value <= 0) return [];
    const expected = row.unit.startsWith("CPU seconds") ? before.value * speed : before.value;
    const by = row.value / expected - 1;
    const error = Math.hypot(row.error, (before.error * expected) / before.value);
    return by > RISE && (row.part === "total" || row.value - expected > 2 * error)
      ? [{ row, recorded: expected, by }]
      : [];
  });
}

export interface Prediction {
  part: string;
  foretold: number;
  measured: number;
  /** How far the foretold is from the measured, as a share of it. */
  off: number;
  /** Whether the part is large enough to judge, and further off than a quarter. */
  wrong: boolean;
}

/** A run beside what was foretold of it (foretell.ts); the dearest first, all together last. */
export function predictions(expected: Readonly<Record<string, number>>, report: Report): Prediction[] {
  const all = Object.values(report.cpu).reduce((sum, v) => sum + v, 0);
  const judged = (part: string, told: number, measured: number): Prediction => {
    const off = (told - measured) / measured;
    return { part, foretold: told, measured, off, wrong: measured >= SMALL * all && Math.abs(off) > OFF };
  };
  const parts = Object.entries(report.cpu)
    .map(([part, measured]) => judged(part, expected[part] ?? 0, measured))
    .sort((x, y) => y.measured - x.measured);
  return [
    ...parts,
    judged(
      "all",
      parts.reduce((sum, p) => sum + p.foretold, 0),
      all,
    ),
  ];
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/** For people: each rise, or that there is none. */
export const risenText = (found: readonly Risen[]): string =>
  found.length === 0
    ? `nothing costs over ${percent(RISE)} more than recorded`
    : found
        .map(
          ({ row, recorded, by }) =>
            `${row.operation}, ${row.part}: ${row.value.toPrecision(3)} ${row.unit}, ${percent(by)} more than the ${recorded.toPrecision(3)} recorded`,
        )
        .join("\n");

export const predictionText = (rows: readonly Prediction[]): string =>
  rows
    .map(
      (p) =>
        `${p.part.padEnd(18)}${p.foretold.toFixed(2).padStart(9)} s foretold${p.measured.toFixed(2).padStart(9)} s measured${percent(p.off).padStart(8)}${p.wrong ? `  over ${percent(OFF)}` : ""}`,
    )
    .join("\n");
