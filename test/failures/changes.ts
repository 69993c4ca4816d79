/**
 * Changes of settings: each restarts only who uses it, and no request fails for it after one retry. They add up, one
 * deployment each, and one deployment takes all of them back.
 */
import { deploy, get } from "./cluster";
import { since, type Run, type Scenario } from "./scenario";

/** What is set now, each with those whom it may restart. */
const applied: Array<{ sets: string[]; consumers: RegExp }> = [];
const setNow = (): string[] => applied.flatMap((x) => x.sets);

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

/** Deployed with these settings; the workloads whose pods are others than before are noted, and must be consumers of the change. */
export async function change(r: Run, sets: string[], consumers: RegExp): Promise<void> {
  const before = await owners();
  const started = Date.now();
  let text = "";
  try { text = await deploy(sets); } catch (error) { r.fail((error as Error).message); }
  const after = await owners();
  const fresh = [...after].filter(([uid]) => !before.has(uid)).map(([, o]) => o), gone = [...before].filter(([uid]) => !after.has(uid)).map(([, o]) => o);
  const touched = [...new Set([...fresh, ...gone])].sort();
  r.note(`${since(started)}, pods replaced, added or removed of ${touched.join(", ") || "nobody"}${/: (\d+ created.*)/.exec(text) ? `; ${/: (\d+ created.*)/.exec(text)![1]}` : ""}`);
  const strangers = touched.filter((o) => !consumers.test(o));
  if (strangers.length) r.fail(`restarted without need: ${strangers.join(", ")}`);
  if (!touched.length) r.fail("nobody took the change");
}

const setting = (id: string, sets: string[], consumers: RegExp, seconds: number, more: Partial<Scenario> = {}): Scenario => ({
  id: `change-${id}`, group: "change", title: `Setting changed: ${sets.join(", ")}`, how: "deployed with it; uids of all pods compared", seconds, bounds: { gap: 60, failedAfterRetry: 0 }, takenBackBy: "change-back",
  action: async (r) => { applied.push({ sets, consumers }); r.cause(); await change(r, setNow(), consumers); }, ...more,
});

const ALL: Scenario[] = [
  setting("web", ["web.elementWeb.brand=Proof"], /^element-web$/, 52, { quick: true }),
  setting("router", ["overrides.router.memoryMiB=72"], /^haproxy$/, 82),
  setting("turn", ["overrides.turn.memoryMiB=72"], /^coturn$/, 77),
  setting("media", ["overrides.pools.media.memoryMiB=200"], /^synapse-media$/, 110),
  setting("redis", ["overrides.redis.memoryMiB=72"], /^redis-(synapse|livekit)$/, 104),
  setting("pool", ["overrides.pools.synchrotron.replicas=3"], /^(synapse-synchrotron|haproxy)$/, 101, { title: "A pool grows: synchrotron from 2 to 3" }),
  setting("persisters", ["overrides.pools.event-persister.replicas=3"], /^(synapse-.*|haproxy)$/, 206, { title: "An event persister is added: from 2 to 3", bounds: { gap: 90, failedAfterRetry: 0 } }),
];

export const CHANGES: Scenario[] = [
  ...ALL,
  {
    id: "change-back", group: "change", title: "All of these changes are taken back at once", how: "deployed without them; uids of all pods compared", seconds: 194, quick: true,
    // One event persister fewer: until every process knows, some still hand events to the one that has gone.
    bounds: { gap: 90, failedAfterRetry: 100 },
    action: async (r) => {
      r.note(`taken back: ${setNow().join(", ")}`);
      r.cause();
      const consumers = new RegExp(applied.splice(0).map((x) => x.consumers.source).join("|"));
      await change(r, [], consumers);
    },
  },
];
