/** The arguments of `npm run load`. Pure. */
import { parse, UsageError } from "../../cli/arguments";

export const USAGE = `npm run load [-- options]
  Starts every process of the smallest stack on this machine (Synapse with all workers, PostgreSQL, PgBouncer, Redis, MinIO,
  the router), lets people use it, and prints for each kind of request what was offered, served, refused and failed, its
  latency, and the CPU seconds of each part. Requests are sent when they are due, however long earlier ones take. All of it
  lives in namespaces of its own and ends with the command. Needs root, on Debian or the like.

  --users N      people, who wait for messages all the time (default 40)
  --rate R       messages a second of all together (default: as the model has it, 144 per user and hour); what else people do
                 follows from it and from their number (lab/load/model.ts)
  --seconds S    how long (default 60)
  --seed K       draws rooms, times and people; the same number gives the same requests (default 1)
  --json FILE    also writes the figures there

  --measure      instead: one thing after the other at rising rates, a straight line through the CPU seconds of each, and from
                 it docs/proof/capacity.md and components/sizing/costs.json. Takes half an hour on two free cores.
  --only IDS     with --measure, for trying: only these experiments, such as send,wake; prints, and writes nothing
  --step S       with --measure: seconds of each step (default 10)
  --repeats N    with --measure: how often each step is run (default 2)
  --slower F     with --measure: all rates divided by F, for a machine that other work fills; with it, longer steps (default 1)

  --against-one  instead: the same people at the same rates, first with all processes of the smallest stack, then with one
                 process of Synapse; writes docs/proof/one-process.md. Takes a quarter of an hour on two free cores.
  --rates LIST   with --against-one: messages a second, rising (default 0.5,1,2,4,8)
  --users, --seconds and --seed as above

  --compare F    instead, without root: what --measure --json wrote to F, or a costs.json, beside the recorded costs; exit code
                 1 where something costs over 15 % more. Of a report of a run: beside what the costs foretell; exit code 1
                 where a part with a twentieth of the CPU or more is over 25 % off
  --calibrate    instead, without root: how fast a core of this machine is, for the setting coreSpeed

  --built        takes the programs that are there, without a look at their recipes`;

export interface Request {
  users: number;
  rate: number | undefined;
  seconds: number;
  seed: number;
  json: string | undefined;
  measure: boolean;
  only: string[] | undefined;
  step: number;
  repeats: number;
  slower: number;
  againstOne: boolean;
  rates: number[];
  built: boolean;
  compare: string | undefined;
  calibrate: boolean;
}

/** Rates at which two cores go from idle to full (measured: about 7 sends a second fill them). */
const RATES = [0.5, 1, 2, 4, 8];

interface Bounds {
  least: number;
  most: number;
  whole?: boolean;
}

function number(name: string, text: string | undefined, otherwise: number, { least, most, whole }: Bounds): number {
  if (text === undefined) return otherwise;
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value) || value < least || value > most || (whole && !Number.isInteger(value)))
    throw new UsageError(`--${name} ${text}: give a ${whole ? "whole " : ""}number from ${least} to ${most}`);
  return value;
}

function rising(text: string | undefined): number[] {
  if (text === undefined) return RATES;
  const rates = text.split(",").map((one) => number("rates", one, 0, { least: 0.01, most: 1000 }));
  if (rates.some((rate, i) => i > 0 && rate <= rates[i - 1]!))
    throw new UsageError(`--rates ${text}: give them in rising order, such as 0.5,1,2`);
  return rates;
}

/** What belongs to one kind of run only. */
const OF_MEASURE = ["only", "step", "repeats", "slower"] as const,
  OF_SIDE_BY_SIDE = ["rates"] as const;

/** @throws UsageError For an option that is unknown or out of its range, or means nothing beside the others. */
export function readArguments(argv: readonly string[], experiments: readonly string[]): Request {
  const v = parse(argv, {
    users: { type: "string" },
    rate: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    json: { type: "string" },
    measure: { type: "boolean" },
    only: { type: "string" },
    step: { type: "string" },
    repeats: { type: "string" },
    slower: { type: "string" },
    "against-one": { type: "boolean" },
    rates: { type: "string" },
    built: { type: "boolean" },
    compare: { type: "string" },
    calibrate: { type: "boolean" },
  });
  const alone = (["compare", "calibrate"] as const).find((name) => v[name] !== undefined);
  if (alone !== undefined && Object.keys(v).length > 1)
    throw new UsageError(`--${alone} stands alone: give no other option with it`);
  const measure = v.measure ?? false,
    againstOne = v["against-one"] ?? false;
  if (measure && againstOne) throw new UsageError("--measure and --against-one are two runs: give one of them");
  const foreign = (names: ReadonlyArray<keyof typeof v>, run: string): void => {
    const given = names.find((name) => v[name] !== undefined);
    if (given !== undefined) throw new UsageError(`--${given} is not for a run ${run}`);
  };
  if (measure) foreign(["users", "rate", "seconds"], "with --measure");
  else foreign(OF_MEASURE, "without --measure");
  if (againstOne) foreign(["rate", "json"], "with --against-one");
  else foreign(OF_SIDE_BY_SIDE, "without --against-one");
  const only = v.only?.split(",");
  const strange = only?.find((id) => !experiments.includes(id));
  if (strange !== undefined) throw new UsageError(`--only ${strange}: the experiments are ${experiments.join(", ")}`);
  return {
    users: number("users", v.users, 40, { least: 2, most: 2000, whole: true }),
    rate: v.rate === undefined ? undefined : number("rate", v.rate, 0, { least: 0, most: 1000 }),
    seconds: number("seconds", v.seconds, 60, { least: 1, most: 86_400 }),
    seed: number("seed", v.seed, 1, { least: 0, most: 2 ** 32 - 1, whole: true }),
    json: v.json,
    measure,
    only,
    step: number("step", v.step, 10, { least: 3, most: 600 }),
    repeats: number("repeats", v.repeats, 2, { least: 1, most: 20, whole: true }),
    slower: number("slower", v.slower, 1, { least: 1, most: 100 }),
    againstOne,
    rates: rising(v.rates),
    built: v.built ?? false,
    compare: v.compare,
    calibrate: v.calibrate ?? false,
  };
}
