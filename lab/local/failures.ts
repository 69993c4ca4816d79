/**
 * `npm run test:cluster [-- --only id,id | --list]`: causes failures and changes on the local cluster under a steady load,
 * asserts what they may cost, and writes docs/proof/cluster.md. `npm run local` first.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { cable, get, healthy, k, restarts, thaw } from "../../test/failures/cluster";
import { CHANGES } from "../../test/failures/changes";
import { Client, Load } from "../../test/failures/load";
import { renderReport, type Result, type Surroundings } from "../../test/failures/report";
import { SCENARIOS, type Scenario } from "../../test/failures/scenarios";
import { access, adminRequest, type Access } from "./access";
import { ROOT } from "./config";
import { RUN_DIR } from "./state";

const ALL = [...SCENARIOS, ...CHANGES];
const RESULTS = path.join(RUN_DIR, "failures", "results.json");
const DOCUMENT = path.join(ROOT, "docs", "proof", "cluster.md");
/** Machine and operators may take this long to mend everything after a failure. */
const HEAL_SECONDS = 300;
const BASELINE_MILLISECONDS = 6000, TAIL_MILLISECONDS = 6000;
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

async function surroundings(): Promise<Surroundings> {
  const node = (await get("nodes")).items[0].status.nodeInfo;
  const versions: Record<string, string> = { Kubernetes: node.kubeletVersion, containerd: node.containerRuntimeVersion.replace("containerd://", ""), Linux: node.kernelVersion };
  for (const p of (await get("pods", "-A")).items) for (const c of p.spec.containers) {
    const m = /([^/]+):([^:@]+)$/.exec(c.image);
    if (m) versions[m[1]!] = m[2]!;
  }
  return { versions, machine: `three nodes on one machine of ${os.cpus().length} cores and ${Math.round(os.totalmem() / 2 ** 30)} GiB` };
}

async function one(s: Scenario, a: Access, admin: Client): Promise<Result> {
  await healthy(HEAL_SECONDS);
  const load = await Load.make(a, admin);
  const earlier = await restarts();
  const notes: string[] = [], failures: string[] = [];
  let cause = 0;
  load.start();
  await sleep(BASELINE_MILLISECONDS);
  try {
    await s.action({ a, load, admin, cause: () => { cause = Date.now(); }, note: (t) => notes.push(t), fail: (t) => failures.push(t) });
  } catch (error) { failures.push((error as Error).message); }
  await sleep(TAIL_MILLISECONDS);
  await sleep(TAIL_MILLISECONDS);
  notes.push(`load average of the machine ${os.loadavg()[0]!.toFixed(0)} on ${os.cpus().length} cores`);
  const figures = await load.finish(cause || Date.now());
  let healed = -1;
  try { healed = await healthy(HEAL_SECONDS); } catch (error) { failures.push((error as Error).message); }
  const crashed = [...await restarts()].filter(([c, n]) => n > (earlier.get(c) ?? 0)).map(([c, n]) => `${c.split(" ")[0]} (${n - (earlier.get(c) ?? 0)})`);
  if (crashed.length) notes.push(`containers restarted on the way: ${crashed.join(", ")}`);
  if (figures.lost > 0) failures.push(`${figures.lost} acknowledged messages lost`);
  if (figures.gap > s.bounds.gap) failures.push(`${figures.gap} s without acknowledgement, more than ${s.bounds.gap}`);
  if (figures.failedAfterRetry > s.bounds.failedAfterRetry) failures.push(`${figures.failedAfterRetry} sends failed after one retry, more than ${s.bounds.failedAfterRetry}`);
  return { id: s.id, title: s.title, how: s.how, promised: s.promised, date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC", figures, notes, failures, healed, bounds: s.bounds };
}

/** However this ends, no node stays frozen, cut off or cordoned. */
async function mend(): Promise<void> {
  for (const n of ["node1", "node2", "node3"]) {
    thaw(n);
    await cable(n, "up");
    await k("uncordon", n);
  }
}
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => { void mend().finally(() => process.exit(1)); });

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes("--list")) { for (const s of ALL) console.log(`${s.id.padEnd(20)} ${s.title}`); return; }
  const only = argv[argv.indexOf("--only") + 1]?.split(",");
  const chosen = argv.includes("--only") ? ALL.filter((s) => only!.some((o) => s.id === o || s.id.startsWith(`${o}-`))) : ALL;
  const a = await access();
  const user = await adminRequest(a, `proof-${Date.now().toString(36)}`, crypto.randomBytes(12).toString("base64url"), true);
  const admin = new Client(a, user.user_id, user.access_token, false);
  const earlier: Result[] = fs.existsSync(RESULTS) ? JSON.parse(fs.readFileSync(RESULTS, "utf8")) : [];
  const results = new Map(earlier.map((r) => [r.id, r]));
  const around = await surroundings();
  let bad = 0;
  for (const s of chosen) {
    const started = Date.now();
    const r = await one(s, a, admin).catch((error: Error) => { console.error(`${s.id}: not run: ${error.message}`); bad++; return undefined; });
    if (!r) continue;
    results.set(s.id, r);
    if (r.failures.length) bad++;
    const f = r.figures;
    console.log(`${r.failures.length ? "NOT " : ""}ok ${s.id} (${((Date.now() - started) / 1000).toFixed(0)} s): gap ${f.gap} s, one room ${f.roomGap} s, failed ${f.failedFirst} -> ${f.failedAfterRetry} of ${f.sends}, lost ${f.lost}, doubled ${f.doubled}, delivery ${f.deliveryMedian.toFixed(2)}/${f.deliveryLongest} s, slowest ${f.slowest} s, healed ${r.healed.toFixed(0)} s ${JSON.stringify(f.kinds)}`);
    for (const n of r.notes) console.log(`     ${n}`);
    for (const n of r.failures) console.log(`  !! ${n}`);
    fs.mkdirSync(path.dirname(RESULTS), { recursive: true });
    const ordered = ALL.flatMap((x) => results.get(x.id) ?? []);
    fs.writeFileSync(RESULTS, JSON.stringify(ordered, null, 1));
    fs.mkdirSync(path.dirname(DOCUMENT), { recursive: true });
    fs.writeFileSync(DOCUMENT, renderReport(ordered, around));
  }
  console.log(bad ? `${bad} of ${chosen.length} not as promised` : `all ${chosen.length} as promised`);
  process.exit(bad ? 1 : 0);
}

main().catch((error) => { console.error(`error: ${error.message}`); process.exit(1); });
