/** The text of the data file of costs (components/sizing/costs.json), and what a new run replaces in it. Pure. */
import { derivedRows, type CostFile, type CostRow } from "../../components/sizing/costs";

export type { CostFile, CostRow } from "../../components/sizing/costs";

const DIGITS = 4;

/** The file's text: a line for each row, so that another run's changes can be read. */
export function costText({ rows, ...head }: CostFile): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(DIGITS)) : value;
  const [start] = JSON.stringify(head, rounded, 2).split(/\n}$/);
  return `${start},\n  "rows": [\n${rows.map((row) => `    ${JSON.stringify(row, rounded)}`).join(",\n")}\n  ]\n}\n`;
}

const same = (a: CostRow, b: CostRow): boolean => a.operation === b.operation && a.part === b.part;

/**
 * The file after a run: its rows, those that follow from them, and of what was recorded the decided rows of everything
 * that the run has not measured. An operation that was measured has no decided row left: a part without a row costs
 * nothing that could be told.
 */
export function afterRun(run: CostFile, recorded: CostFile): CostFile {
  const measured = new Set(run.rows.map((row) => row.operation));
  const beside = (row: CostRow): boolean =>
    !row.unit.startsWith("CPU seconds per ") || row.part === "follower" || !measured.has(row.operation);
  const rows = [...run.rows, ...derivedRows(run)];
  const kept = recorded.rows.filter(
    (row) => row.how !== "measured" && beside(row) && !rows.some((other) => same(other, row)),
  );
  return { ...run, rows: [...rows, ...kept] };
}
