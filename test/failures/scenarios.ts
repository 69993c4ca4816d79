/** What is broken, how, and what it may cost. Bounds are generous: the machine is shared; the figures are in the document. */
import * as crypto from "node:crypto";
import type { Access } from "../../lab/local/access";
import { cable, freeze, get, healthy, holder, k, kill, pods, RedisWatch, replaced, sleep, thaw, until } from "./cluster";
import type { Client, Load } from "./load";

export interface Run { a: Access; load: Load; admin: Client; /** Call it at the moment of the cause. */ cause(): void; note(text: string): void; fail(text: string): void }

export interface Scenario {
  id: string;
  title: string;
  how: string;
  /** What the deployments before this one promised. */
  promised?: string;
  /** Seconds without any acknowledgement, and sends that may fail after one retry. */
  bounds: { gap: number; failedAfterRetry: number };
  /** Runs under load; ends when the part is back. */
  action(run: Run): Promise<void>;
}

const NS = "matrix";
/** Longer than the 40 s after which Kubernetes calls a node lost; a shorter cut measures the announced address alone. */
const CUT_SECONDS = Number(process.env.CUT_SECONDS ?? 60);
const component = (name: string): string => `app.kubernetes.io/component=${name}`;
const flowing = (load: Load, seconds: number): Promise<number> => until("sends to every room", seconds, () => (load.flowing(4) ? undefined : "some room is silent"));
const primary = async (): Promise<string> => (await get("clusters.postgresql.cnpg.io", "-n", NS, "synapse-postgres")).status.currentPrimary;
const nodeOf = async (ns: string, pod: string): Promise<string> => (await get("pod", "-n", ns, pod)).spec.nodeName;
const allPods = async (): Promise<any[]> => (await get("pods", "-A")).items;

/** One pod of a class that has several, or the only one. */
async function killOne(r: Run, pod: string, seconds = 120): Promise<void> {
  const before = await get("pod", "-n", NS, pod);
  r.note(`${pod} on ${before.spec.nodeName}`);
  r.cause();
  await kill(NS, pod);
  if (before.metadata.ownerReferences?.[0].kind === "StatefulSet") r.note(`its successor was ready after ${(await replaced(NS, pod, before.metadata.uid, seconds)).toFixed(0)} s`);
  await sleep(3000);
}
const anyOf = async (selector: string): Promise<string> => {
  const all = await pods(NS, selector);
  if (!all.length) throw new Error(`no ready pod with ${selector}`);
  return all[0].metadata.name;
};

async function whoRan(node: string): Promise<string> {
  const singles = /^(synapse-(main|event-persister|account|ephemeral|receipts|device-lists)-\d+|synapse-postgres-\d|redis-synapse-\d|haproxy-.*)$/;
  const names = (await allPods()).filter((p) => p.spec.nodeName === node && singles.test(p.metadata.name)).map((p) => p.metadata.name);
  const first = await primary();
  return names.map((n: string) => (n === first ? `${n} (primary)` : n)).join(", ");
}

async function drain(r: Run, node: string): Promise<void> {
  r.note(`${node} carried ${await whoRan(node)}`);
  r.cause();
  const started = Date.now();
  try {
    await k("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=100s");
    r.note(`drained in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    await flowing(r.load, 60);
  } catch (error) {
    r.fail(`the drain did not end: ${(error as Error).message.split("\n").slice(-2).join(" ").slice(-300)}`);
  } finally {
    await k("uncordon", node);
  }
}

export const SCENARIOS: Scenario[] = [
  {
    id: "synchrotron", title: "A sync worker is lost", how: "pod force-deleted", promised: "worker 30 s", bounds: { gap: 8, failedAfterRetry: 0 },
    action: async (r) => killOne(r, await anyOf(component("synapse-synchrotron"))),
  },
  {
    id: "event-persister", title: "An event persister is lost", how: "pod force-deleted", promised: "worker 30 s", bounds: { gap: 20, failedAfterRetry: 40 },
    action: async (r) => { await killOne(r, "synapse-event-persister-0"); await flowing(r.load, 120); },
  },
  {
    id: "main", title: "The main process is lost", how: "pod force-deleted", promised: "worker 30 s", bounds: { gap: 20, failedAfterRetry: 10 },
    action: async (r) => { await killOne(r, "synapse-main-0"); await flowing(r.load, 120); },
  },
  {
    id: "router", title: "A router is lost", how: "pod force-deleted", promised: "worker 30 s", bounds: { gap: 10, failedAfterRetry: 0 },
    action: async (r) => killOne(r, await anyOf(component("haproxy"))),
  },
  {
    id: "pooler", title: "A connection pooler is lost", how: "pod force-deleted", bounds: { gap: 10, failedAfterRetry: 5 },
    action: async (r) => killOne(r, await anyOf("cnpg.io/poolerName")),
  },
  {
    id: "redis-master", title: "The Redis master is lost", how: "pod force-deleted; INFO of all three read three times a second", promised: "5 to 10 s", bounds: { gap: 25, failedAfterRetry: 5 },
    action: async (r) => {
      const names = [0, 1, 2].map((i) => `redis-synapse-${i}`);
      const watch = new RedisWatch(NS, names);
      watch.start();
      try {
        await until("a master", 20, () => (watch.master() ? undefined : "none seen"));
        const old = watch.master()!;
        const started = Date.now();
        await killOne(r, old);
        await until("another master", 60, () => (watch.master() && watch.master() !== old ? undefined : "none"));
        r.note(`another master within ${((Date.now() - started) / 1000).toFixed(0)} s of the deletion`);
        await flowing(r.load, 60);
        await sleep(8000);
      } finally { watch.stop(); }
      r.note(`masters in order ${watch.result.masters.join(", ")}; two that took writes ${watch.result.twoTakeWrites.toFixed(1)} s, two that called themselves master ${watch.result.twoMasters.toFixed(1)} s`);
      if (watch.result.twoTakeWrites > 0) r.fail(`two masters took writes for ${watch.result.twoTakeWrites.toFixed(1)} s`);
    },
  },
  {
    id: "postgres-primary", title: "The PostgreSQL primary is lost", how: "pod force-deleted", promised: "315 s", bounds: { gap: 60, failedAfterRetry: 300 },
    action: async (r) => {
      const old = await primary();
      r.note(`${old} on ${await nodeOf(NS, old)}`);
      r.cause();
      await kill(NS, old);
      r.note(`another primary after ${(await until("another primary", 120, async () => ((await primary()) !== old ? undefined : "still the old one"))).toFixed(0)} s`);
      await flowing(r.load, 120);
    },
  },
  {
    id: "ingress", title: "The ingress pod that holds the address is lost", how: "pod force-deleted (Envoy, in place of NGINX)", promised: "< 1 s", bounds: { gap: 20, failedAfterRetry: 10 },
    action: async (r) => {
      const node = await holder(r.a.address);
      const pod = (await get("pods", "-n", "projectcontour")).items.find((p: any) => p.spec.nodeName === node && p.metadata.name.startsWith("envoy"));
      r.note(`${r.a.address} was held by ${node}`);
      r.cause();
      await kill("projectcontour", pod.metadata.name);
      await sleep(10_000);
      await flowing(r.load, 60);
      r.note(`afterwards by ${await holder(r.a.address)}`);
    },
  },
  {
    id: "minio-node", title: "A MinIO node is lost", how: "pod force-deleted again and again for 20 s; an upload and a download of 64 KiB every second", bounds: { gap: 10, failedAfterRetry: 0 },
    action: async (r) => {
      let ups = 0, downs = 0, slowest = 0;
      const bad: string[] = [];
      let stop = false;
      const media = (async () => {
        while (!stop) {
          const content = crypto.randomBytes(65536), started = Date.now();
          const up = await r.admin.call("POST", "/_matrix/media/v3/upload", content);
          if (up.status !== 200) { bad.push(`upload ${up.error ?? up.status}`); await sleep(500); continue; }
          ups++;
          const down = await r.admin.call("GET", `/_matrix/client/v1/media/download/${up.body.content_uri.slice(6)}`);
          if (down.status === 200 && Buffer.compare(down.body, content) === 0) downs++; else bad.push(`download ${down.error ?? down.status}`);
          slowest = Math.max(slowest, Date.now() - started);
          await sleep(Math.max(0, 1000 - (Date.now() - started)));
        }
      })();
      await sleep(4000);
      const uid = (await get("pod", "-n", "minio", "minio-1")).metadata.uid;
      r.cause();
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(2500)) await kill("minio", "minio-1").catch(() => undefined);
      await replaced("minio", "minio-1", uid, 120);
      await sleep(3000);
      stop = true;
      await media;
      r.note(`${ups} uploads and ${downs} downloads, ${bad.length} failed${bad.length ? ` (${[...new Set(bad)].join(", ")})` : ""}, slowest pair ${(slowest / 1000).toFixed(1)} s`);
      if (bad.length) r.fail(`media: ${bad.length} failed`);
    },
  },
  ...["node1", "node2", "node3"].map((node): Scenario => ({
    id: `drain-${node}`, title: `${node} is drained`, how: "kubectl drain, then uncordon", promised: "node 8 min", bounds: { gap: 60, failedAfterRetry: 300 },
    action: (r) => drain(r, node),
  })),
  {
    id: "node-frozen", title: "The node of the PostgreSQL primary freezes", how: "SIGSTOP to every process of the node for 75 s, then SIGCONT", promised: "PostgreSQL 315 s, node 8 min", bounds: { gap: 200, failedAfterRetry: 700 },
    action: async (r) => {
      const old = await primary(), node = await nodeOf(NS, old);
      r.note(`${node} carried ${await whoRan(node)}`);
      const started = Date.now();
      try {
        r.cause();
        r.note(`${freeze(node)} processes stopped`);
        await until("another primary", 75, async () => ((await primary()) !== old ? undefined : "still the old one"))
          .then((s) => r.note(`another primary after ${s.toFixed(0)} s`), () => r.note("no other primary within 75 s"));
        await sleep(Math.max(0, 75_000 - (Date.now() - started)));
      } finally { thaw(node); }
      r.note(`thawed after ${((Date.now() - started) / 1000).toFixed(0)} s`);
      r.note(`sends to every room again ${(await flowing(r.load, 180)).toFixed(0)} s after that`);
    },
  },
  {
    id: "node-cut", title: "The node that holds the address is cut from the network", how: `its switch port down for ${CUT_SECONDS} s, then up`, promised: "node 8 min", bounds: { gap: 200, failedAfterRetry: 700 },
    action: async (r) => {
      const node = await holder(r.a.address);
      r.note(`${node} carried the address and ${await whoRan(node)}`);
      try {
        r.cause();
        await cable(node, "down");
        await sleep(CUT_SECONDS * 1000);
        r.note(`meanwhile the address was held by ${await holder(r.a.address).catch(() => "nobody")}`);
      } finally { await cable(node, "up"); }
      r.note(`sends to every room again ${(await flowing(r.load, 180)).toFixed(0)} s after it was back`);
    },
  },
];

export { healthy };
