/**
 * `npm run test:cluster [-- --only id,id | --part quick | --list | --mend]`: causes failures and changes on the local
 * cluster under a steady load, asserts upper bounds for their cost, and writes docs/proof/cluster.md. `npm run local`
 * first.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, runMain, UsageError } from "../../cli/arguments";
import { get, healthy, mend, newcomers, restarts, sleep } from "./cluster";
import { Client, Load, type Figures } from "./load";
import { renderReport, type FirstLogin, type Result, type Surroundings, type WholeRun } from "./report";
import type { Run, Scenario } from "./scenario";
import { ALL, choose } from "./scenarios";
import { access, adminRequest, type Access } from "../local/access";
import { PROOF } from "../common/folders";
import { Kept } from "../proof/kept";
import { beginMeasuring, enter } from "../local/priority";
import { FIRST_LOGIN } from "../local/firstLogin";

const USAGE = `npm run test:cluster [-- options]
  --only a,b     only these, or those whose names begin like this (drain, change)
  --part quick   what runs on every change, under 15 minutes
  --list         names, times, descriptions; a whole run leaves out those marked "in ...", because that one covers them, and
                 those on request
  --no-record    writes nothing into docs/proof
  --mend         only undoes what an interrupted run left: frozen, cut, cordoned, full`;
const DOCUMENT = path.join(PROOF, "cluster.md");
/** Machine and operators may take this long to recover from a failure. */
const HEAL_SECONDS = 300;
const BASELINE_MILLISECONDS = 3000,
  TAIL_MILLISECONDS = 2000;

interface Proof {
  results: Result[];
  firstLogins: FirstLogin[];
  wholeRun?: WholeRun;
}
const RECORD = new Kept<Proof>("cluster.json", { results: [], firstLogins: [] });

async function surroundings({ firstLogins, wholeRun }: Proof): Promise<Surroundings> {
  const node = (await get("nodes")).items[0].status.nodeInfo;
  const versions: Record<string, string> = {
    Kubernetes: node.kubeletVersion,
    containerd: node.containerRuntimeVersion.replace("containerd://", ""),
    Linux: node.kernelVersion,
  };
  for (const p of (await get("pods", "-A")).items)
    for (const c of p.spec.containers) {
      const m = /([^/]+):([^:@]+)$/.exec(c.image);
      if (m) versions[m[1]!] = m[2]!;
    }
  return {
    versions,
    firstLogins,
    wholeRun,
    machine: `three nodes on one machine of ${os.cpus().length} cores and ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
  };
}

/** Users and rooms are created for the first scenario that needs them. */
class Loads {
  private made?: Load;
  constructor(
    private readonly a: Access,
    private readonly admin: Client,
  ) {}
  async get(): Promise<Load> {
    return (this.made ??= await Load.make(this.a, this.admin));
  }
}

const today = (): string => new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC";

/** Containers that restarted since then, with the number of restarts. */
const crashedSince = async (earlier: Map<string, number>): Promise<string[]> =>
  [...(await restarts())]
    .filter(([c, n]) => n > (earlier.get(c) ?? 0))
    .map(([c, n]) => `${c.split(" ")[0]} (${n - (earlier.get(c) ?? 0)})`);

/** Compares the load's figures with the scenario's bounds. */
function brokenPromises(f: Figures, bounds: Scenario["bounds"]): string[] {
  return [
    ...(f.lost > 0 ? [`${f.lost} acknowledged messages lost`] : []),
    ...(f.undelivered ? [`in ${f.undelivered} rooms the last acknowledged message never came to a user's /sync`] : []),
    ...(f.gap > bounds.gap ? [`${f.gap} s without acknowledgement, more than ${bounds.gap}`] : []),
    ...(f.failedAfterRetry > bounds.failedAfterRetry
      ? [`${f.failedAfterRetry} sends failed after one retry, more than ${bounds.failedAfterRetry}`]
      : []),
  ];
}

/** Notes besides the figures: when each pod was ready again, when the outage was, which containers crashed. */
function remarks(came: string[], f: Figures | undefined, crashed: string[]): string[] {
  return [
    ...(came.length ? [`ready again, after the cause: ${came.join(", ")}`] : []),
    ...(f && f.gap > 5
      ? [
          `the longest time without an acknowledgement began ${f.gapFrom} s after the cause, that of one room ${f.roomGapFrom} s`,
        ]
      : []),
    ...(crashed.length ? [`containers restarted on the way: ${crashed.join(", ")}`] : []),
  ];
}

/** The load, where there is one, flows before the action begins and for a while after it has ended. */
async function underLoad<T>(load: Load | undefined, act: () => Promise<T>): Promise<T> {
  load?.start();
  if (load) await sleep(BASELINE_MILLISECONDS);
  const result = await act();
  if (load) await sleep(TAIL_MILLISECONDS);
  return result;
}

async function one(s: Scenario, a: Access, admin: Client, loads: Loads): Promise<Result> {
  const begun = Date.now();
  await healthy(HEAL_SECONDS, (t) => console.log(`     before ${s.id}: ${t}`));
  const load = s.quiet ? undefined : await loads.get();
  const notes: string[] = [],
    failures: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
  };
  /** An error is one failure of the scenario, which goes on. */
  const attempt = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      failures.push((error as Error).message);
      return undefined;
    }
  };
  if (s.prepare) {
    await s.prepare(note);
    await healthy(HEAL_SECONDS, note);
  }
  const earlier = await restarts();
  let cause = 0,
    table: Result["table"];
  const run: Run = {
    a,
    load: load!,
    admin,
    cause: () => {
      cause = Date.now();
    },
    note,
    fail: (t) => failures.push(t),
    table: (t) => {
      table = t;
    },
  };
  const afterwards = await underLoad(load, () => attempt(() => s.action(run)));
  notes.push(`load average of the machine ${os.loadavg()[0]!.toFixed(0)} on ${os.cpus().length} cores`);
  const figures = await load?.finish(cause || Date.now());
  afterwards?.();
  const healed = (await attempt(() => healthy(HEAL_SECONDS, note))) ?? -1;
  const crashed = await crashedSince(earlier);
  const came = cause && s.group === "failure" ? await newcomers(cause) : [];
  notes.push(...remarks(came, figures, crashed));
  if (figures) failures.push(...brokenPromises(figures, s.bounds));
  const { id, group, title, how, promised, bounds } = s;
  return {
    id,
    group,
    title,
    how,
    promised,
    bounds,
    date: today(),
    figures,
    table,
    notes,
    failures,
    healed,
    seconds: Math.round((Date.now() - begun) / 1000),
  };
}

interface Asked {
  only?: string;
  part?: string;
  list?: boolean;
  mend?: boolean;
  "no-record"?: boolean;
}

const asked = (argv: readonly string[]): Asked =>
  parse(argv, {
    only: { type: "string" },
    part: { type: "string" },
    list: { type: "boolean" },
    mend: { type: "boolean" },
    "no-record": { type: "boolean" },
  });

function chosenBy({ only, part }: Asked): Scenario[] {
  if (part !== undefined && part !== "quick") throw new UsageError(`--part ${part}: there is only the part quick`);
  return choose({ only: only?.split(","), quick: part === "quick" });
}

function print(r: Result): void {
  const f = r.figures;
  console.log(
    `${r.failures.length ? "NOT " : ""}ok ${r.id} (${r.seconds} s)${f ? `: gap ${f.gap} s, one room ${f.roomGap} s, failed ${f.failedFirst} -> ${f.failedAfterRetry} of ${f.sends}, lost ${f.lost}, doubled ${f.doubled}, delivery ${f.deliveryMedian.toFixed(2)}/${f.deliveryLongest} s, slowest ${f.slowest} s, healed ${r.healed.toFixed(0)} s ${JSON.stringify(f.kinds)} then ${JSON.stringify(f.kindsAfterRetry)}` : ""}`,
  );
  for (const n of r.notes) console.log(`     ${n}`);
  for (const row of r.table?.rows ?? []) console.log(`     ${row.join(" | ")}`);
  for (const n of r.failures) console.log(`  !! ${n}`);
}

const isWhole = ({ only, part }: Asked): boolean => only === undefined && part === undefined;

function list(options: Asked, chosen: Scenario[], expected: (s: Scenario) => number): void {
  for (const s of isWhole(options) ? ALL : chosen) {
    const time = `${expected(s)} s`.padStart(6),
      place = chosen.includes(s) ? "" : s.onRequest ? "(on request) " : `(in ${s.partOf}) `;
    console.log(`${s.id.padEnd(18)} ${time}  ${s.quick ? "quick" : "     "}  ${place}${s.title}: ${s.how}`);
  }
  console.log(`${chosen.length} in about ${(chosen.reduce((n, s) => n + expected(s), 0) / 60).toFixed(0)} minutes`);
}

/** A run that is interrupted leaves the nodes as they were. */
function mendOnSignal(): void {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      console.log(
        "\nundoing ... (settings that a change had set, or a restore half done, stay: `npm run local -- deploy` goes on)",
      );
      void mend().finally(() => process.exit(1));
    });
  }
}

/** The last first login, in the place of an earlier one of its kind. */
function takeFirstLogin(record: Proof): void {
  if (!fs.existsSync(FIRST_LOGIN)) return;
  const found: FirstLogin = JSON.parse(fs.readFileSync(FIRST_LOGIN, "utf8"));
  record.firstLogins = [...record.firstLogins.filter((x) => x.cold !== found.cold), found];
}

async function run(options: Asked, chosen: Scenario[]): Promise<number> {
  const record = RECORD.read();
  const results = new Map(record.results.map((r) => [r.id, r]));
  const expected = (s: Scenario): number => results.get(s.id)?.seconds ?? s.seconds;
  if (options.list) {
    list(options, chosen, expected);
    return 0;
  }
  enter("load");
  beginMeasuring();
  if (options.mend) {
    await mend();
    return 0;
  }
  mendOnSignal();
  await mend(); // after a run that was killed
  const a = await access();
  const user = await adminRequest(
    a,
    `proof-${Date.now().toString(36)}`,
    crypto.randomBytes(12).toString("base64url"),
    true,
  );
  const admin = new Client(a, user.user_id, user.access_token, false),
    loads = new Loads(a, admin);
  takeFirstLogin(record);
  const around = await surroundings(record);
  const write = (): void => {
    if (options["no-record"]) return;
    const ordered = ALL.flatMap((x) => results.get(x.id) ?? []);
    RECORD.write({ results: ordered, firstLogins: record.firstLogins, wholeRun: around.wholeRun });
    fs.writeFileSync(DOCUMENT, renderReport(ordered, around));
  };
  const begun = Date.now();
  let bad = 0;
  for (const [i, s] of chosen.entries()) {
    const left = chosen.slice(i).reduce((n, x) => n + expected(x), 0);
    console.log(`[${i + 1}/${chosen.length}] ${s.id}, about ${expected(s)} s; ${Math.ceil(left / 60)} min left`);
    const r = await one(s, a, admin, loads).catch(async (error: Error) => {
      console.error(`NOT ok ${s.id}: not run: ${error.message}`);
      bad++;
      await mend();
      return undefined;
    });
    if (!r) continue;
    results.set(s.id, r);
    if (r.failures.length) bad++;
    print(r);
    write();
  }
  const minutes = Math.round((Date.now() - begun) / 60_000);
  if (isWhole(options)) {
    around.wholeRun = { date: today(), minutes, scenarios: chosen.length, bad };
    write();
  }
  console.log(`${bad ? `${bad} of ${chosen.length} failed` : `all ${chosen.length} passed`}, ${minutes} minutes`);
  return bad ? 1 : 0;
}

async function main(argv: string[]): Promise<void> {
  const options = asked(argv);
  const code = await run(options, chosenBy(options)).catch((error: Error) => {
    console.error(`error: ${error.message}`);
    return 1;
  });
  // Connections of the load may still be open.
  process.exit(code);
}

runMain(USAGE, main);
