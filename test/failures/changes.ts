/** Changes of settings: each restarts only who uses it, and no request fails for it after one retry. */
import { spawn } from "node:child_process";
import { ROOT } from "../../lab/local/config";
import { get } from "./cluster";
import type { Run, Scenario } from "./scenarios";

function deploy(sets: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["run", "-s", "local", "--", "deploy", ...sets.flatMap((s) => ["--set", s])], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const s of [child.stdout, child.stderr]) s.on("data", (c) => { text += c; });
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`deploy ${sets.join(" ")} ended with ${code}: ${text.slice(-600)}`))));
  });
}

/** Workload of each pod that is not a Job's, by pod uid. */
async function owners(): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const p of (await get("pods", "-A")).items) {
    const owner = p.metadata.ownerReferences?.[0];
    if (!owner || owner.kind === "Job" || p.metadata.deletionTimestamp) continue;
    all.set(p.metadata.uid, owner.kind === "ReplicaSet" ? owner.name.replace(/-[a-z0-9]+$/, "") : owner.name);
  }
  return all;
}

async function change(r: Run, sets: string[], consumers: RegExp, grown = false): Promise<void> {
  for (const [what, these] of [["set", sets], ["back", []]] as const) {
    const before = await owners();
    if (what === "set") r.cause();
    const started = Date.now();
    try { await deploy(these as string[]); } catch (error) { r.fail((error as Error).message); }
    const after = await owners();
    const fresh = new Set([...after].filter(([uid]) => !before.has(uid)).map(([, o]) => o));
    const gone = new Set([...before].filter(([uid]) => !after.has(uid)).map(([, o]) => o));
    const touched = [...new Set([...fresh, ...gone])].sort();
    r.note(`${what}: ${((Date.now() - started) / 1000).toFixed(0)} s, pods replaced, added or removed of ${touched.join(", ") || "nobody"}`);
    const strangers = touched.filter((o) => !consumers.test(o));
    if (strangers.length) r.fail(`${what}: restarted without need: ${strangers.join(", ")}`);
    if (!touched.length && !grown) r.fail(`${what}: nobody took the change`);
  }
}

const setting = (id: string, set: string[], consumers: RegExp, gap = 60, failedAfterRetry = 0): Scenario => ({
  id: `change-${id}`, title: `Setting changed: ${set.join(", ")}`, how: "deployed with it, then without; uids of all pods compared", bounds: { gap, failedAfterRetry },
  action: (r) => change(r, set, consumers),
});

export const CHANGES: Scenario[] = [
  setting("web", ["web.elementWeb.brand=Proof"], /^element-web$/),
  setting("router", ["overrides.router.memoryMiB=72"], /^haproxy$/),
  setting("turn", ["overrides.turn.memoryMiB=72"], /^coturn$/),
  setting("media", ["overrides.pools.media.memoryMiB=200"], /^synapse-media$/),
  setting("redis", ["overrides.redis.memoryMiB=72"], /^redis-(synapse|livekit)$/, 60, 5),
  { ...setting("pool", ["overrides.pools.synchrotron.replicas=3"], /^(synapse-synchrotron|haproxy)$/), title: "A pool grows: synchrotron 2 to 3, and back" },
  { ...setting("persisters", ["overrides.pools.event-persister.replicas=3"], /^(synapse-.*|haproxy)$/, 90), title: "An event persister is added, and taken away" },
];
