/** `down` with --cluster kind or kubeconfig: says what would go, asks, and takes it away namespace by namespace. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline/promises";
import type { Request } from "./arguments";
import { Cluster } from "./cluster";
import { FIELD_MANAGER } from "./driver";
import { kindDown } from "./kind";
import { getItems, KUBECONFIG, kubectl } from "./kubectl";
import { appliedBy, PRECIOUS, refText, removalPlan, strangers, type Ref, type Removal } from "./remove";
import { RUN_DIR, State } from "./state";
import { KIND_NAME, readTarget } from "./target";

/** CloudNativePG stops three instances, one after the other, within this. */
const GONE_SECONDS = 180;
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

async function agreed(question: string, request: Request): Promise<boolean> {
  if (request.yes) return true;
  if (!process.stdin.isTTY) throw new Error("nobody can be asked here: --yes removes without asking, --dry-run only says what would be removed");
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try { return (await terminal.question(`${question} Type yes: `)).trim() === "yes"; } finally { terminal.close(); }
}

export async function foreignDown(request: Request): Promise<void> {
  if (request.cluster === "kind") {
    console.log(`The kind cluster ${KIND_NAME} with everything in it, and ${RUN_DIR}.`);
    if (request.dryRun) return;
    if (!await agreed("Delete them?", request)) { console.log("Nothing was removed."); return; }
    kindDown();
    return;
  }
  const target = readTarget();
  if (!target) { console.log("Nothing was deployed from here to this cluster; nothing is removed."); return; }
  if (fs.existsSync(path.join(RUN_DIR, "pulumi"))) throw new Error(`this stack was deployed by the engine: in ${RUN_DIR}/pulumi/project run \`pulumi destroy\` (PULUMI_BACKEND_URL=file://${RUN_DIR}/pulumi/state, PULUMI_CONFIG_PASSPHRASE_FILE=${RUN_DIR}/pulumi/passphrase); it knows what it made, and keeps namespaces with data`);
  const state = State.open();
  const plan = removalPlan(state.applied);
  const stays = new Map(plan.namespaces.map((n) => [n.metadata.name, strangers(contents(n.metadata.name), state.applied)] as const).filter(([, s]) => s.length));
  describe(target.server, plan, stays, state);
  if (request.dryRun) return;
  if (!await agreed("Remove this, with all data of the homeserver?", request)) { console.log("Nothing was removed."); return; }
  await remove(plan, stays, state);
  fs.rmSync(RUN_DIR, { recursive: true, force: true });
}

function contents(namespace: string): any[] {
  try { return getItems(PRECIOUS.join(","), "-n", namespace); } catch { return []; }
}

function describe(server: string, plan: Removal, stays: Map<string, any[]>, state: State): void {
  console.log(`From ${server}:`);
  for (const n of plan.namespaces) {
    const name = n.metadata.name, there = stays.get(name);
    const own = Object.values(state.applied).filter((a) => a.handle?.metadata?.namespace === name).length;
    console.log(`  namespace ${name.padEnd(20)} ${String(own).padStart(3)} objects of ours${there ? `; the namespace stays, for somebody else has there: ${there.map(refText).join(", ")}` : ", and all that they made"}`);
  }
  const count = (what: string, refs: Ref[]): void => { if (refs.length) console.log(`  ${what.padEnd(30)} ${String(refs.length).padStart(3)}: ${[...new Set(refs.map((r) => r.kind))].join(", ")}`); };
  count("in namespaces that stay", plan.namespaced);
  count("for the whole cluster", [...plan.registrations, ...plan.clusterWide]);
  count("definitions without objects", plan.definitions);
  count("taken back from nodes", plan.undo);
  if (plan.kept.length) console.log(`  were there before and stay: ${plan.kept.map(refText).join(", ")}`);
}

async function remove(plan: Removal, stays: Map<string, any[]>, state: State): Promise<void> {
  const cluster = new Cluster(KUBECONFIG);
  const skipped: string[] = [];
  /** Only what the API server knows as applied by the driver. */
  const one = async (ref: Ref): Promise<boolean> => {
    const live = await cluster.read(ref).catch((error: Error) => { if (/no matches|could not find|Unrecognized|404/i.test(error.message)) return undefined; throw error; });
    if (!live) return false;
    if (!appliedBy(live, FIELD_MANAGER)) { skipped.push(`${refText(ref)}: somebody else has made it anew`); return false; }
    if (!live.metadata.deletionTimestamp) await cluster.remove(ref, "Background");
    return true;
  };
  const gone = async (refs: Ref[]): Promise<void> => {
    const until = Date.now() + GONE_SECONDS * 1000;
    for (const ref of refs) while (await cluster.read(ref).catch(() => undefined)) {
      if (Date.now() > until) throw new Error(`${refText(ref)} is still ending after ${GONE_SECONDS} s; run down again`);
      await sleep(1000);
    }
  };
  const all = async (title: string, refs: Ref[], wait: boolean): Promise<void> => {
    const removed: Ref[] = [];
    for (const ref of refs) if (await one(ref)) removed.push(ref);
    if (wait) await gone(removed);
    if (removed.length) console.log(`removed ${removed.length} ${title}`);
  };
  await all("objects of the operators", plan.custom, true);
  await all("registrations with the API server", plan.registrations, true);
  await all("objects in namespaces that stay", plan.namespaced, false);
  const ourNamespaces = plan.namespaces.map((n) => n.metadata.name);
  for (const n of plan.namespaces) {
    const name = n.metadata.name;
    if (stays.has(name)) {
      await all(`objects in ${name}`, Object.values(state.applied).filter((a) => a.handle?.metadata?.namespace === name && !a.existed).map((a) => a.handle).reverse(), false);
      continue;
    }
    // The provisioner of local volumes goes last, but volumes that are to be kept would wait for nobody.
    if (await one(n)) { await gone([n]); console.log(`removed the namespace ${name}`); }
  }
  const classes = new Set(plan.clusterWide.filter((r) => r.kind === "StorageClass").map((r) => r.metadata.name));
  const volumes = getItems("persistentvolumes").filter((v) => classes.has(v.spec.storageClassName) && ourNamespaces.includes(v.spec.claimRef?.namespace) && v.status.phase === "Released");
  const paths = volumes.map((v) => `${v.spec.nodeAffinity?.required?.nodeSelectorTerms?.[0]?.matchExpressions?.[0]?.values?.[0] ?? "?"}:${v.spec.local?.path ?? v.spec.hostPath?.path ?? v.metadata.name}`);
  for (const v of volumes) kubectl(["delete", "persistentvolume", v.metadata.name, "--wait=false"]);
  if (paths.length) console.log(`removed ${paths.length} volumes; their directories stay on the nodes' disks:\n  ${paths.join("\n  ")}`);
  await all("objects of the whole cluster", plan.clusterWide, false);
  for (const d of plan.definitions) {
    let left: any[] = [];
    try { left = getItems(d.metadata.name, "-A"); } catch { /* the definition is gone */ }
    if (left.length) skipped.push(`${refText(d)}: somebody has ${left.length} such objects`);
    else await one(d);
  }
  for (const n of plan.undo) if (await cluster.read(n)) await cluster.apply({ apiVersion: n.apiVersion, kind: n.kind, metadata: { name: n.metadata.name, namespace: n.metadata.namespace } }, FIELD_MANAGER);
  for (const s of skipped) console.log(`left: ${s}`);
  console.log("Everything else of the cluster is as it was.");
}

export function labDown(script: string): void {
  const done = spawnSync("bash", [script], { stdio: "inherit" });
  if (done.status !== 0) throw new Error(`${script} ended with ${done.status ?? done.signal}; run \`npm run local -- down\` again`);
}
