/** Runs the experiments and fits a line for each part of the homeserver. */
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "./client";
import type { CostFile, CostRow } from "./costs";
import { calibrate, type Calibration } from "./calibrate";
import { EXPERIMENTS, makeStage, PEOPLE, type Experiment, type Stage } from "./experiments";
import { foretold } from "./foretell";
import type { Figures } from "./generator";
import { makePeople } from "./people";
import type { Target } from "./realTarget";
import { seeded, shuffled } from "./random";
import { used, type Report } from "./run";
import { isKnown, isStraight, line, type Line } from "./statistics";

/** What one step has used. */
export interface Measured {
  experiment: string;
  step: number;
  seconds: number;
  /** What was done in it, in the experiment's unit. */
  amount: number;
  requests: number;
  figures: Figures | undefined;
  /** CPU seconds by part. */
  cpu: Record<string, number>;
  /** Of the generator itself. */
  own: number;
  database: { transactions: number; queries: number; walBytes: number; bytes: number };
}

export interface Plan {
  /** Of each step. */
  seconds: number;
  /** How often each step is run. */
  repeats: number;
  seed: number;
  /** Rates are divided by it. */
  slower: number;
  /** Ids of experiments. @default all */
  only?: readonly string[];
  say: (text: string) => void;
}

const difference = (after: Map<string, number>, before: Map<string, number>): Record<string, number> =>
  Object.fromEntries([...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)]));

/** So long after a step what it has caused still runs: notices to other processes, notifications. */
const SETTLE_MS = 1500;

export async function measureStep(
  target: Target,
  stage: Stage,
  { experiment: e, step, seconds }: { experiment: Experiment; step: number; seconds: number },
): Promise<Measured> {
  const running = await e.begin(stage, step);
  await sleep(SETTLE_MS);
  const database = await target.database(),
    own = process.cpuUsage(),
    started = performance.now();
  const cpu = target.cpu(),
    amount = running.amount?.() ?? 0;
  const figures = (await running.run(seconds)).get("request");
  await sleep(SETTLE_MS);
  const used = difference(target.cpu(), cpu),
    elapsed = (performance.now() - started) / 1000,
    spent = process.cpuUsage(own);
  const after = await target.database();
  const requests = figures?.served ?? 0,
    done = running.amount ? running.amount() - amount : requests * (e.each?.(step) ?? 1);
  await running.end?.();
  return {
    experiment: e.id,
    step,
    seconds: elapsed,
    amount: done,
    requests,
    figures,
    cpu: used,
    own: (spent.user + spent.system) / 1e6,
    database: {
      transactions: after.transactions - database.transactions,
      queries: after.queries - database.queries,
      walBytes: after.walBytes - database.walBytes,
      bytes: after.bytes - database.bytes,
    },
  };
}

/** CPU of the target while nothing is asked of it. */
export async function measureIdle(target: Target, seconds: number): Promise<Record<string, number>> {
  const before = target.cpu();
  await sleep(seconds * 1000);
  return Object.fromEntries(
    Object.entries(difference(target.cpu(), before)).map(([name, used]) => [name, used / seconds]),
  );
}

/** Cost of one in each measure, by the steps of one experiment. */
export function fitted(steps: readonly Measured[]): Map<string, Line> {
  const parts = new Set(steps.flatMap((s) => Object.keys(s.cpu)));
  const lineOf = (value: (m: Measured) => number): Line =>
    line(steps.map((m) => ({ x: m.amount / m.seconds, y: value(m) / m.seconds })));
  const lines = new Map<string, Line>();
  for (const part of parts)
    lines.set(
      part,
      lineOf((m) => m.cpu[part] ?? 0),
    );
  lines.set(
    "total",
    lineOf((m) => Object.values(m.cpu).reduce((sum, v) => sum + v, 0)),
  );
  for (const count of ["transactions", "queries", "walBytes"] as const)
    lines.set(
      count,
      lineOf((m) => m.database[count]),
    );
  return lines;
}

const UNITS: Record<string, string> = {
  transactions: "database transactions",
  queries: "database queries",
  walBytes: "bytes of WAL",
};

/** A row, before it is said of which run it is. */
type Found = Omit<CostRow, "source"> & { source?: string };

/** The rows of an experiment. Where a slope cannot be told from zero, the row says so. */
export function rowsOf(e: Pick<Experiment, "id" | "unit">, lines: Map<string, Line>): Found[] {
  return [...lines].map(([part, l]) => ({
    operation: e.id,
    part,
    value: l.slope,
    error: l.error,
    unit: `${UNITS[part] ?? "CPU seconds"} per ${e.unit}`,
    how: "measured",
    points: l.points,
    known: isKnown(l),
    straight: isStraight(l),
    bend: Number.isFinite(l.bend) ? l.bend : null,
  }));
}

/** What a request costs besides the size of its file: what is left of a step when nothing of the file is. */
export function besidesSize(
  operation: string,
  lines: Map<string, Line>,
  { idle, rate }: { idle: Record<string, number>; rate: number },
): CostRow[] {
  return Object.entries(idle).map(([part, rest]) => {
    const { intercept, interceptError } = lines.get(part)!;
    return {
      operation: `${operation}Request`,
      part,
      value: (intercept - rest) / rate,
      error: interceptError / rate,
      unit: `CPU seconds per ${operation}, besides its size`,
      how: "derived",
      source: `${operation}: the line at size 0, less what is used at rest`,
    };
  });
}

/** Growth of the database over all steps of an experiment: files grow in blocks, so no line through steps would do. */
export function databaseGrowth(e: Pick<Experiment, "id" | "unit">, steps: readonly Measured[]): Found[] {
  const sum = (of: (m: Measured) => number): number => steps.reduce((total, m) => total + of(m), 0);
  const amount = sum((m) => m.requests),
    bytes = sum((m) => m.database.bytes);
  // One block of 64 pages more or less, at either end.
  const error = (2 * 64 * 8192) / amount;
  return amount > 0
    ? [
        {
          operation: e.id,
          part: "databaseBytes",
          value: bytes / amount,
          error,
          unit: "bytes of database per request",
          how: "measured",
          points: steps.length,
          known: Math.abs(bytes / amount) > 2 * error,
        },
      ]
    : [];
}

export const idleRows = (idle: Record<string, number>): Found[] =>
  Object.entries(idle).map(([part, value]) => ({
    operation: "idle",
    part,
    value,
    error: 0,
    unit: "CPU seconds per second at rest",
    how: "measured",
    points: 1,
  }));

/** A run of the model, and what the costs say of it. */
export interface Check {
  report: Report;
  foretold: Record<string, number>;
}

export interface Result {
  costs: CostFile;
  check: Check;
  steps: Measured[];
  idle: Record<string, number>;
}

/** Messages a second of the run that is foretold, while everybody waits; and its length, in steps. */
const CHECK_RATE = 0.8,
  CHECK_STEPS = 5;

export async function measure(target: Target, plan: Plan): Promise<Result> {
  const client = new Client(target.host, target.port),
    { say } = plan;
  say("calibration");
  const calibration: Calibration = calibrate(),
    load = [loadavg()[0]!];
  say(`${PEOPLE} users and their rooms`);
  const people = await makePeople(client, PEOPLE, (name) => target.homeserver.user(name));
  const stage = await makeStage(client, people, plan.slower);
  say("nothing, for comparison");
  // What making them has caused comes to an end first.
  await sleep(5 * SETTLE_MS);
  const idle = await measureIdle(target, 2 * plan.seconds);
  const steps: Measured[] = [],
    rows: Found[] = idleRows(idle);
  const chosen = EXPERIMENTS.filter(({ id }) => !plan.only || plan.only.includes(id));
  for (const experiment of chosen) {
    // The first request of a kind fills caches and loads code: it is not counted.
    await measureStep(target, stage, { experiment, step: experiment.steps[1]!, seconds: 2 * plan.slower });
    const order = shuffled(
      seeded(plan.seed, experiment.id),
      experiment.steps.flatMap((step) => Array<number>(plan.repeats).fill(step)),
    );
    const own: Measured[] = [];
    for (const step of order) own.push(await measureStep(target, stage, { experiment, step, seconds: plan.seconds }));
    const lines = fitted(own),
      total = lines.get("total")!;
    say(
      `${experiment.id}: ${(total.slope * 1000).toFixed(1)} ms of CPU per ${experiment.unit}, error ${(total.error * 1000).toFixed(1)}, bend ${total.bend.toFixed(2)}; ${lines.get("transactions")!.slope.toFixed(1)} transactions`,
    );
    steps.push(...own);
    rows.push(...rowsOf(experiment, lines), ...databaseGrowth(experiment, own));
    if (experiment.mediaRate)
      rows.push(...besidesSize(experiment.id, lines, { idle, rate: experiment.mediaRate / plan.slower }));
    load.push(loadavg()[0]!);
  }
  const world = { people, rooms: [...stage.pairs, ...stage.large.values()], files: [...stage.files.values()].flat() };
  const report = await used(
    target,
    {
      client,
      world,
      plan: { rate: CHECK_RATE / plan.slower, seconds: CHECK_STEPS * plan.seconds, users: PEOPLE, seed: plan.seed },
    },
    say,
  );
  client.close();
  const date = new Date().toISOString().slice(0, 10);
  const costs: CostFile = {
    date,
    command: "npm run load -- --measure",
    machine: { cpu: cpus()[0]!.model, cores: cpus().length, load: [Math.min(...load), Math.max(...load)] },
    calibration,
    processes: Object.fromEntries(target.processes()),
    rows: rows.map((row) => ({ ...row, source: row.source ?? `run of ${date}` })),
  };
  return { costs, check: { report, foretold: Object.fromEntries(foretold(costs, report)) }, steps, idle };
}
