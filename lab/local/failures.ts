/**
 * `npm run test:cluster [-- --only id,id | --part quick | --list | --mend]`: causes failures and changes on the local
 * cluster under a steady load, asserts what they may cost, and writes docs/proof/cluster.md. `npm run local` first.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { get, healthy, mend, newcomers, restarts, sleep } from "../../test/failures/cluster";
import { Client, Load } from "../../test/failures/load";
import { renderReport, type FirstLogin, type Result, type Surroundings, type WholeRun } from "../../test/failures/report";
import type { Scenario } from "../../test/failures/scenario";
import { ALL, choose } from "../../test/failures/scenarios";
import { access, adminRequest, type Access } from "./access";
import { Kept, PROOF } from "./kept";
import { beginMeasuring, enter } from "./priority";
import { FIRST_LOGIN } from "./firstLogin";

const USAGE = `npm run test:cluster [-- options]
  --only a,b     these, or those whose name begins so (drain, change)
  --part quick   what runs on every change, under 15 minutes
  --list         names, times, what is done; "in ..." is left out of a whole run, where that one shows it
  --no-record    writes nothing into docs/proof
  --mend         only undoes what an interrupted run left: frozen, cut, cordoned, full`;
const DOCUMENT = path.join(PROOF, "cluster.md");
/** Machine and operators may take this long to mend everything after a failure. */
const HEAL_SECONDS = 300;
const BASELINE_MILLISECONDS = 3000, TAIL_MILLISECONDS = 2000;

interface Proof { results: Result[]; firstLogins: FirstLogin[]; wholeRun?: WholeRun }
const RECORD = new Kept<Proof>("cluster.json", { results: [], firstLogins: [] });

async function surroundings({ firstLogins, wholeRun }: Proof): Promise<Surroundings> {
  const node = (await get("nodes")).items[0].status.nodeInfo;
  const versions: Record<string, string> = { Kubernetes: node.kubeletVersion, containerd: node.containerRuntimeVersion.replace("containerd://", ""), Linux: node.kernelVersion };
  for (const p of (await get("pods", "-A")).items) for (const c of p.spec.containers) {
    const m = /([^/]+):([^:@]+)$/.exec(c.image);
    if (m) versions[m[1]!] = m[2]!;
  }
  return { versions, firstLogins, wholeRun, machine: `three nodes on one machine of ${os.cpus().length} cores and ${Math.round(os.totalmem() / 2 ** 30)} GiB` };
}

/** Users and rooms are made for the first scenario that needs them. */
class Loads {
  private made?: Load;
  constructor(private readonly a: Access, private readonly admin: Client) {}
  async get(): Promise<Load> { return (this.made ??= await Load.make(this.a, this.admin)); }
}

const today = (): string => new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC";

async function one(s: Scenario, a: Access, admin: Client, loads: Loads): Promise<Result> {
  const begun = Date.now();
  await healthy(HEAL_SECONDS, (t) => console.log(`     before ${s.id}: ${t}`));
  const load = s.quiet ? undefined : await loads.get();
  const earlier = await restarts();
  const notes: string[] = [], failures: string[] = [];
  await s.prepare?.((t) => notes.push(t));
  let cause = 0, table: Result["table"], afterwards: void | (() => void) = undefined;
  load?.start();
  if (load) await sleep(BASELINE_MILLISECONDS);
  try {
    afterwards = await s.action({ a, load: load!, admin, cause: () => { cause = Date.now(); }, note: (t) => notes.push(t), fail: (t) => failures.push(t), table: (t) => { table = t; } });
  } catch (error) { failures.push((error as Error).message); }
  if (load) await sleep(TAIL_MILLISECONDS);
  notes.push(`load average of the machine ${os.loadavg()[0]!.toFixed(0)} on ${os.cpus().length} cores`);
  const figures = await load?.finish(cause || Date.now());
  afterwards?.();
  let healed = -1;
  try { healed = await healthy(HEAL_SECONDS, (t) => notes.push(t)); } catch (error) { failures.push((error as Error).message); }
  const crashed = [...await restarts()].filter(([c, n]) => n > (earlier.get(c) ?? 0)).map(([c, n]) => `${c.split(" ")[0]} (${n - (earlier.get(c) ?? 0)})`);
  const came = cause && s.group === "failure" ? await newcomers(cause) : [];
  if (came.length) notes.push(`ready again, after the cause: ${came.join(", ")}`);
  if (figures && figures.gap > 5) notes.push(`the longest time without an acknowledgement began ${figures.gapFrom} s after the cause, that of one room ${figures.roomGapFrom} s`);
  if (crashed.length) notes.push(`containers restarted on the way: ${crashed.join(", ")}`);
  if (figures) {
    if (figures.lost > 0) failures.push(`${figures.lost} acknowledged messages lost`);
    if (figures.undelivered) failures.push(`in ${figures.undelivered} rooms the last acknowledged message never came to a user's /sync`);
    if (figures.gap > s.bounds.gap) failures.push(`${figures.gap} s without acknowledgement, more than ${s.bounds.gap}`);
    if (figures.failedAfterRetry > s.bounds.failedAfterRetry) failures.push(`${figures.failedAfterRetry} sends failed after one retry, more than ${s.bounds.failedAfterRetry}`);
  }
  const { id, group, title, how, promised, bounds } = s;
  return { id, group, title, how, promised, bounds, date: today(), figures, table, notes, failures, healed, seconds: Math.round((Date.now() - begun) / 1000) };
}

function chosenBy(argv: string[]): Scenario[] {
  const value = (name: string): string | undefined => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
  const only = value("--only")?.split(","), part = value("--part");
  if (part !== undefined && part !== "quick") throw new Error(`--part ${part}: there is only the part quick`);
  return choose({ only, quick: part === "quick" });
}

function print(r: Result): void {
  const f = r.figures;
  console.log(`${r.failures.length ? "NOT " : ""}ok ${r.id} (${r.seconds} s)${f ? `: gap ${f.gap} s, one room ${f.roomGap} s, failed ${f.failedFirst} -> ${f.failedAfterRetry} of ${f.sends}, lost ${f.lost}, doubled ${f.doubled}, delivery ${f.deliveryMedian.toFixed(2)}/${f.deliveryLongest} s, slowest ${f.slowest} s, healed ${r.healed.toFixed(0)} s ${JSON.stringify(f.kinds)} then ${JSON.stringify(f.kindsAfterRetry)}` : ""}`);
  for (const n of r.notes) console.log(`     ${n}`);
  for (const row of r.table?.rows ?? []) console.log(`     ${row.join(" | ")}`);
  for (const n of r.failures) console.log(`  !! ${n}`);
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  if (argv.includes("--help")) { console.log(USAGE); return 0; }
  const record = RECORD.read();
  const results = new Map(record.results.map((r) => [r.id, r]));
  const expected = (s: Scenario): number => results.get(s.id)?.seconds ?? s.seconds;
  const chosen = chosenBy(argv);
  if (argv.includes("--list")) {
    const whole = !argv.includes("--only") && !argv.includes("--part");
    for (const s of whole ? ALL : chosen) console.log(`${s.id.padEnd(18)} ${`${expected(s)} s`.padStart(6)}  ${s.quick ? "quick" : "     "}  ${chosen.includes(s) ? "" : `(in ${s.partOf}) `}${s.title}: ${s.how}`);
    console.log(`${chosen.length} in about ${(chosen.reduce((n, s) => n + expected(s), 0) / 60).toFixed(0)} minutes`);
    return 0;
  }
  enter("load");
  beginMeasuring();
  if (argv.includes("--mend")) { await mend(); return 0; }
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      console.log("\nundoing ... (settings that a change had set, or a restore half done, stay: `npm run local -- deploy` goes on)");
      void mend().finally(() => process.exit(1));
    });
  }
  await mend(); // of a run that was killed
  const a = await access();
  const user = await adminRequest(a, `proof-${Date.now().toString(36)}`, crypto.randomBytes(12).toString("base64url"), true);
  const admin = new Client(a, user.user_id, user.access_token, false), loads = new Loads(a, admin);
  if (fs.existsSync(FIRST_LOGIN)) {
    const found: FirstLogin = JSON.parse(fs.readFileSync(FIRST_LOGIN, "utf8"));
    record.firstLogins = [...record.firstLogins.filter((x) => x.cold !== found.cold), found];
  }
  const around = await surroundings(record);
  const write = (): void => {
    if (argv.includes("--no-record")) return;
    const ordered = ALL.flatMap((x) => results.get(x.id) ?? []);
    RECORD.write({ results: ordered, firstLogins: record.firstLogins, wholeRun: around.wholeRun });
    fs.writeFileSync(DOCUMENT, renderReport(ordered, around));
  };
  const begun = Date.now();
  let bad = 0;
  for (const [i, s] of chosen.entries()) {
    const left = chosen.slice(i).reduce((n, x) => n + expected(x), 0);
    console.log(`[${i + 1}/${chosen.length}] ${s.id}, about ${expected(s)} s; ${Math.ceil(left / 60)} min left`);
    const r = await one(s, a, admin, loads).catch(async (error: Error) => { console.error(`NOT ok ${s.id}: not run: ${error.message}`); bad++; await mend(); return undefined; });
    if (!r) continue;
    results.set(s.id, r);
    if (r.failures.length) bad++;
    print(r);
    write();
  }
  const minutes = Math.round((Date.now() - begun) / 60_000);
  if (!argv.includes("--only") && !argv.includes("--part")) { around.wholeRun = { date: today(), minutes, scenarios: chosen.length, bad }; write(); }
  console.log(`${bad ? `${bad} of ${chosen.length} not as promised` : `all ${chosen.length} as promised`}, ${minutes} minutes`);
  return bad ? 1 : 0;
}

main().then((code) => process.exit(code), (error) => { console.error(`error: ${error.message}`); process.exit(1); });
