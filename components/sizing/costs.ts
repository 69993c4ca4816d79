/**
 * What one of everything costs (costs.json), each figure with its state: measured, derived from measured ones, or
 * decided. `npm run load -- --measure` writes the file; decided rows stay until an experiment replaces them. Pure.
 */
import { z } from "zod";
import data from "./costs.json";

const row = z.strictObject({
  /** Id of the experiment, or what is counted. @example "send" */
  operation: z.string().min(1),
  /** A class of Synapse's processes, all of them together; or `postgres`, `pgbouncer`, `redis`, `router`, ... */
  part: z.string().min(1),
  value: z.number(),
  /** Standard error of the value, in its unit. */
  error: z.number().min(0),
  /** @example "CPU seconds per send" */
  unit: z.string().regex(/ per |share/),
  /** `measured`: the slope of a line through `points` steps; `derived`: from other rows; `decided`: a choice. */
  how: z.enum(["measured", "derived", "decided"]),
  points: z.number().int().min(1).optional(),
  /** Whether the value is more than twice its error. */
  known: z.boolean().optional(),
  /** Whether no step is further from the line than 10 % of its rise. */
  straight: z.boolean().optional(),
  /** Largest distance from the line, as a share of its rise; null for a line without rise. */
  bend: z.number().nullable().optional(),
  /** The run, the rows that it follows from, or the reason for the choice. */
  source: z.string().min(10),
});

const costFile = z.strictObject({
  /** Day of the run. */
  date: z.string(),
  /** What writes the file. */
  command: z.string(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.number(),
    /** Least and most of the one-minute load average. */
    load: z.tuple([z.number(), z.number()]),
  }),
  /** CPU seconds of the calibration on this machine: costs on another are in proportion to its own. */
  calibration: z.strictObject({ node: z.number().positive(), python: z.number().positive() }),
  /** Processes of each part during the run. */
  processes: z.record(z.string(), z.number()),
  rows: z.array(row),
});

/** What one of something costs one part of the homeserver. */
export type CostRow = z.output<typeof row>;
export type CostFile = z.output<typeof costFile>;
/** How a figure is known. */
export type How = CostRow["how"];

/** A cost file from its content. @throws With the path of what is wrong in it */
export const costsFrom = (raw: unknown): CostFile => costFile.parse(raw);

/** What was recorded. */
export const COSTS: CostFile = costsFrom(data);

/** Parts of the file that are no class of Synapse's processes. */
export const SERVICES = ["postgres", "pgbouncer", "redis", "router", "minio"] as const;
export type Service = (typeof SERVICES)[number];
const isService = (part: string): boolean => (SERVICES as readonly string[]).includes(part);

/** Classes that have no part in a send: what it costs them is what it costs to follow. */
const FOLLOWERS = ["media", "account", "device-lists", "initial-sync"];

const indexes = new WeakMap<readonly CostRow[], Map<string, CostRow>>();
/** The row of an operation and a part: plans ask for it a hundred thousand times. */
export function costRow({ rows }: Pick<CostFile, "rows">, operation: string, part: string): CostRow | undefined {
  const index = indexes.get(rows) ?? new Map(rows.map((r) => [`${r.operation} ${r.part}`, r]));
  indexes.set(rows, index);
  return index.get(`${operation} ${part}`);
}

/** A figure that has to be there. */
export function figure(costs: Pick<CostFile, "rows">, operation: string, part: string): CostRow {
  const found = costRow(costs, operation, part);
  if (!found) throw new Error(`costs.json has no row for ${operation}, ${part}`);
  return found;
}

/** What each process of a class that only follows spends on a message. */
export function followers(costs: Pick<CostFile, "rows" | "processes">): CostRow[] {
  return FOLLOWERS.flatMap((part) => {
    const sent = costRow(costs, "send", part);
    const processes = costs.processes[part] ?? 1;
    return sent ? [{ ...sent, value: sent.value / processes, error: sent.error / processes }] : [];
  });
}

/** Synapse's processes during the run. */
export const synapseProcesses = ({ processes }: Pick<CostFile, "processes">): number =>
  Object.entries(processes)
    .filter(([part]) => !isService(part))
    .reduce((sum, [, n]) => sum + n, 0);

/** Rows that follow from measured ones; empty where those are missing. */
export function derivedRows(costs: Pick<CostFile, "rows" | "processes">): CostRow[] {
  const each = followers(costs);
  if (each.length < FOLLOWERS.length) return [];
  const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  return [
    {
      operation: "send",
      part: "follower",
      value: mean(each.map((r) => r.value)),
      error: Math.sqrt(each.reduce((sum, r) => sum + r.error ** 2, 0)) / each.length,
      unit: "CPU seconds per send and process",
      how: "derived",
      source: `mean of ${FOLLOWERS.join(", ")}, each by the number of its processes: they have no part in a send`,
    },
  ];
}
