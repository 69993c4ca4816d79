/**
 * Changes of settings: each restarts only the pods that use it, and after one retry no request fails for it. They add
 * up, one deployment each, and one deployment takes all of them back.
 */
import { deploy, get, sleep } from "./cluster";
import { LOAD_HEAD, since, withLoad, type Run, type Scenario, type Table } from "./scenario";

interface Change {
  sets: string[];
  /** Names of the workloads that it may restart. */
  consumers: RegExp;
}

/** The present settings. */
const applied: Change[] = [];
export const setNow = (): string[] => applied.flatMap((x) => x.sets);

/** Clears the settings: the next deployment takes all of them back. */
export function takeBack(r: Run): Change[] {
  const back = applied.splice(0);
  if (back.length) r.note(`taken back: ${back.flatMap((x) => x.sets).join(", ")}`);
  return back;
}

interface Owned {
  workload: string;
  revision: string;
}

/** By pod uid, the workload of each pod that is not a Job's, and the revision of its template. */
async function owners(): Promise<Map<string, Owned>> {
  const all = new Map<string, Owned>();
  // Pods of a machine that was taken out stay for a while as objects.
  const nodes = new Set((await get("nodes")).items.map((n: any) => n.metadata.name));
  for (const p of (await get("pods", "-A")).items) {
    const owner = p.metadata.ownerReferences?.[0];
    if (!owner || owner.kind === "Job" || p.metadata.deletionTimestamp || !nodes.has(p.spec.nodeName)) continue;
    const labels = p.metadata.labels ?? {};
    all.set(p.metadata.uid, {
      workload: owner.kind === "ReplicaSet" ? owner.name.replace(/-[a-z0-9]+$/, "") : owner.name,
      revision: labels["pod-template-hash"] ?? labels["controller-revision-hash"] ?? "",
    });
  }
  return all;
}

/** Whether pods of this workload were only added or removed: then its autoscaler did it, if it has one. */
const onlyScaled = (before: Owned[], fresh: Owned[], gone: Owned[]): boolean =>
  (!fresh.length || !gone.length) && fresh.every((f) => before.some((b) => b.revision === f.revision));

interface Outcome {
  seconds: string;
  changed: string;
  summary: string;
}

/** Deploys with these settings; only workloads that consume the change may have new pods. */
export async function deployed(r: Run, sets: string[], consumers: RegExp): Promise<Outcome> {
  const before = await owners();
  const started = Date.now();
  let text = "";
  try {
    text = await deploy(sets);
  } catch (error) {
    r.fail((error as Error).message);
  }
  const after = await owners();
  const scalable = new Set(
    (await get("horizontalpodautoscalers", "-A")).items.map((h: any) => h.spec.scaleTargetRef.name),
  );
  const fresh = [...after].filter(([uid]) => !before.has(uid)).map(([, o]) => o),
    gone = [...before].filter(([uid]) => !after.has(uid)).map(([, o]) => o);
  const touched = [...new Set([...fresh, ...gone].map((o) => o.workload))].sort();
  const of =
    (name: string) =>
    (o: Owned): boolean =>
      o.workload === name;
  const scaled = touched.filter(
    (t) =>
      !consumers.test(t) &&
      scalable.has(t) &&
      onlyScaled([...before.values()].filter(of(t)), fresh.filter(of(t)), gone.filter(of(t))),
  );
  const changed = touched.filter((t) => !scaled.includes(t));
  const strangers = changed.filter((o) => !consumers.test(o));
  if (strangers.length) r.fail(`${sets.at(-1) ?? "taken back"}: restarted without need: ${strangers.join(", ")}`);
  if (!changed.length) r.fail(`${sets.at(-1) ?? "taken back"}: no workload restarted for the change`);
  if (scaled.length) r.note(`in the meantime the autoscaler added or removed pods of ${scaled.join(", ")}`);
  return {
    seconds: since(started),
    changed: changed.join(", ") || "no workload",
    summary: /^deployed in \d+ s: (.*)/m.exec(text)?.[1] ?? "",
  };
}

/** Deploys with these settings and no others, and notes the result. */
export async function change(r: Run, sets: string[], consumers: RegExp): Promise<void> {
  const o = await deployed(r, sets, consumers);
  r.note(`${o.seconds}, pods replaced, added or removed of ${o.changed}${o.summary ? `; ${o.summary}` : ""}`);
}

const WEB: Change = { sets: ["web.elementWeb.brand=Proof"], consumers: /^element-web$/ };
/** One setting of each layer that has its own consumers. */
const SETTINGS: Change[] = [
  WEB,
  { sets: ["overrides.router.memoryMiB=72"], consumers: /^haproxy$/ },
  { sets: ["overrides.turn.memoryMiB=72"], consumers: /^coturn$/ },
  { sets: ["overrides.pools.user-directory.memoryMiB=200"], consumers: /^synapse-user-directory$/ },
  { sets: ["overrides.pools.pusher.memoryMiB=200"], consumers: /^synapse-pusher$/ },
];
const POOL: Change = { sets: ["overrides.pools.synchrotron.replicas=3"], consumers: /^(synapse-synchrotron|haproxy)$/ };
const PERSISTERS: Change = {
  sets: ["overrides.pools.event-persister.replicas=3"],
  consumers: /^(synapse-.*|haproxy)$/,
};
const BOUNDS = { gap: 60, failedAfterRetry: 0 };
const how = "deployed with it; uids of all pods compared";
const takenBackBy = "change-back";

/** One change alone, as a scenario. */
const alone = (c: Change, scenario: Pick<Scenario, "id" | "title" | "seconds"> & Partial<Scenario>): Scenario => ({
  group: "change",
  how,
  bounds: BOUNDS,
  takenBackBy,
  action: async (r) => {
    applied.push(c);
    r.cause();
    await change(r, setNow(), c.consumers);
  },
  ...scenario,
});

export const CHANGES: Scenario[] = [
  alone(WEB, {
    id: "change-web",
    title: `Setting changed: ${WEB.sets.join(", ")}`,
    seconds: 45,
    partOf: "change-settings",
    quick: true,
  }),
  {
    id: "change-settings",
    group: "change",
    title: "Five settings changed, then a pool grown, one after the other",
    how: "one deployment each; uids of all pods compared",
    seconds: 220,
    bounds: BOUNDS,
    takenBackBy,
    action: async (r) => {
      const windows: Array<[number, number]> = [],
        rows: Table["rows"] = [];
      for (const s of [...SETTINGS, POOL].filter((x) => !applied.includes(x))) {
        if (!windows.length) r.cause();
        const from = Date.now();
        applied.push(s);
        const o = await deployed(r, setNow(), s.consumers);
        // Disturbances show at the latest while the next change is evaluated.
        await sleep(2000);
        rows.push([s.sets.join(", "), o.changed, o.seconds]);
        windows.push([from, Date.now()]);
      }
      return () =>
        r.table?.({
          head: ["Setting", "Pods replaced of", "Deployed in", ...LOAD_HEAD],
          rows: withLoad(r.load, rows, windows),
        });
    },
  },
  alone(POOL, {
    id: "change-pool",
    title: "A pool grows: synchrotron from 2 to 3",
    seconds: 60,
    partOf: "change-settings",
  }),
  alone(PERSISTERS, {
    id: "change-persisters",
    title: "An event persister is added: from 2 to 3",
    seconds: 180,
    bounds: { gap: 90, failedAfterRetry: 0 },
  }),
  {
    id: "change-back",
    group: "change",
    title: "All of these changes are taken back at once",
    how: "deployed without them; uids of all pods compared",
    seconds: 150,
    quick: true,
    partOf: "backup-restore",
    // One event persister fewer: until every process knows, some still send events to the one that is gone.
    bounds: { gap: 90, failedAfterRetry: 20 },
    action: async (r) => {
      r.cause();
      const back = takeBack(r);
      await change(r, [], new RegExp(back.map((x) => x.consumers.source).join("|")));
    },
  },
];
