/** The data file of measured costs, which the sizing can read. Pure. */
import type { Calibration } from "./calibrate";

/** What one of something costs one part of the homeserver. */
export interface CostRow {
  /** Id of the experiment. @example "send" */
  operation: string;
  /** A class of Synapse's processes, all of them together; or `postgres`, `pgbouncer`, `redis`, `router`, ... */
  part: string;
  value: number;
  /** Standard error of the value, in its unit. */
  error: number;
  /** @example "CPU seconds per send" */
  unit: string;
  /** `measured`: the slope of a line through `points` steps; `derived`: from other rows; `decided`: a choice. */
  how: "measured" | "derived" | "decided";
  points?: number;
  /** Whether the value is more than twice its error. */
  known?: boolean;
  /** Whether no step is further from the line than 10 % of its rise. */
  straight?: boolean;
  /** Largest distance from the line, as a share of its rise; null for a line without rise. */
  bend?: number | null;
  /** Of a derived or decided row: from what. */
  source?: string;
}

export interface CostFile {
  /** Day of the run. */
  date: string;
  /** What writes the file. */
  command: string;
  machine: { cpu: string; cores: number; /** Least and most of the one-minute load average. */ load: [number, number] };
  /** CPU seconds of the calibration on this machine: costs on another are in proportion to its own. */
  calibration: Calibration;
  /** Processes of each part during the run. */
  processes: Record<string, number>;
  rows: CostRow[];
}

const DIGITS = 4;

/** The file's text: a line for each row, so that another run's changes can be read. */
export function costText({ rows, ...head }: CostFile): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(DIGITS)) : value;
  const [start] = JSON.stringify(head, rounded, 2).split(/\n}$/);
  return `${start},\n  "rows": [\n${rows.map((row) => `    ${JSON.stringify(row, rounded)}`).join(",\n")}\n  ]\n}\n`;
}
