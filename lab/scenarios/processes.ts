/** Single processes and pods, of each kind. */
import * as crypto from "node:crypto";
import { until } from "../common/until";
import { get, holder, k, kill, NS, pods, replaced, sleep } from "./cluster";
import { RETRY_AFTER_SECONDS, type Reply } from "./load";
import {
  anyOf,
  component,
  flowing,
  killOne,
  LOAD_HEAD,
  nodeOf,
  primary,
  since,
  withLoad,
  type Run,
  type Scenario,
} from "./scenario";

const q = encodeURIComponent;

/** A request that only this class of processes answers, made by the administrator in a separate room. */
type Probe = (r: Run, room: string, n: number) => Promise<Reply>;
const CLIENT = "/_matrix/client/v3";
const me = (r: Run): string => q(r.admin.userId);
const PROBES: Record<string, Probe> = {
  main: (r) => r.admin.call("GET", `${CLIENT}/pushers`),
  synchrotron: (r) => r.admin.call("GET", `${CLIENT}/events?timeout=0`),
  "initial-sync": (r) =>
    r.admin.call("GET", `${CLIENT}/sync?timeout=0&filter=${q('{"room":{"timeline":{"limit":1}}}')}`),
  generic: (r) => r.admin.call("GET", `${CLIENT}/profile/${me(r)}`),
  "event-persister": (r, room, n) =>
    r.admin.call("PUT", `${CLIENT}/rooms/${q(room)}/send/m.room.message/p${Date.now()}-${n}`, {
      msgtype: "m.text",
      body: `probe ${n}`,
    }),
  ephemeral: (r, room) =>
    r.admin.call("PUT", `${CLIENT}/rooms/${q(room)}/typing/${me(r)}`, { typing: true, timeout: 3000 }),
  account: (r, _, n) => r.admin.call("PUT", `${CLIENT}/user/${me(r)}/account_data/org.example.probe`, { n }),
  receipts: (r, room) => r.admin.call("POST", `${CLIENT}/rooms/${q(room)}/read_markers`, {}),
  "device-lists": (r) => r.admin.call("POST", `${CLIENT}/keys/query`, { device_keys: { [r.admin.userId]: [] } }),
  "user-directory": (r) => r.admin.call("POST", `${CLIENT}/user_directory/search`, { search_term: "proof" }),
  media: (r) => r.admin.call("POST", "/_matrix/media/v3/upload", crypto.randomBytes(1024)),
};

/** Results of requests that only one class answers, while it lacks a process. */
interface Probed {
  asked: number;
  /** At the first try; and after one retry. */
  failed: number;
  twice: number;
  /** Milliseconds. */
  slowest: number;
  /** The time of the last failure; 0: none. */
  lastBad: number;
}

/**
 * One after the other, until the successor is ready and three in a row succeed; waits for the three at most until 90 s
 * after `started`.
 */
async function probeUntil(isBack: () => boolean, ask: (n: number) => Promise<Reply>, started: number): Promise<Probed> {
  const p: Probed = { asked: 0, failed: 0, twice: 0, slowest: 0, lastBad: 0 };
  for (let good = 0; !isBack() || (good < 3 && Date.now() - started < 90_000);) {
    const at = Date.now();
    p.asked++;
    let reply = await ask(p.asked);
    if (reply.status !== 200) {
      p.failed++;
      good = 0;
      await sleep(5000);
      reply = await ask(p.asked);
      if (reply.status !== 200) p.twice++;
      p.lastBad = Date.now();
    } else {
      good++;
    }
    p.slowest = Math.max(p.slowest, Date.now() - at);
    await sleep(300);
  }
  return p;
}

/** How long it answered no request; if each request was answered, the longest wait. */
function withoutService({ lastBad, slowest }: Probed, started: number): number {
  if (lastBad) return (lastBad - started) / 1000;
  return slowest > 1000 ? slowest / 1000 : 0;
}

/** One process of a class killed; its own requests one after the other until it serves again. */
async function classRow(r: Run, cls: string, room: string): Promise<Array<string | number>> {
  const all = await pods(NS, component(`synapse-${cls}`));
  if (!all.length) {
    r.fail(`no process of ${cls} is ready`);
    return [cls, 0, "", "", "", ""];
  }
  const victim = all[0],
    probe = PROBES[cls] as Probe | undefined;
  const single = victim.metadata.ownerReferences[0].kind === "StatefulSet";
  const started = Date.now();
  await kill(NS, victim.metadata.name);
  let back: number | undefined;
  const returned = single
    ? replaced(NS, victim.metadata.name, victim.metadata.uid, 120).then(
        (s) => {
          back = s;
        },
        (error: Error) => {
          back = -1;
          r.fail(error.message);
        },
      )
    : sleep(4000).then(() => {
        back = 0;
      });
  const isBack = (): boolean => back !== undefined;
  const probed = probe && (await probeUntil(isBack, (n) => probe(r, room, n), started));
  while (!isBack()) await sleep(300);
  await returned;
  if (probed?.twice) r.note(`${cls}: ${probed.twice} requests failed after one retry`);
  const own = probed
    ? [
        `${withoutService(probed, started).toFixed(1)} s`,
        `${probed.failed} / ${probed.twice} of ${probed.asked}`,
        `${(probed.slowest / 1000).toFixed(1)} s`,
      ]
    : ["asynchronous work", "", ""];
  return [cls, all.length, ...own, single ? `${back!.toFixed(0)} s` : "another serves"];
}

/**
 * Uploads and downloads, each retried once, like a send: a request in flight to the lost MinIO is not answered until
 * the object store's client in Synapse gives up after 60 s (botocore's `read_timeout`; the storage provider has no
 * setting for it).
 */
async function media(r: Run, whileLost: () => Promise<void>): Promise<void> {
  let ups = 0,
    downs = 0,
    slowest = 0,
    stop = false;
  const first: string[] = [],
    bad: string[] = [];
  const twice = async (
    what: string,
    ask: () => Promise<Reply>,
    good: (reply: Reply) => boolean,
  ): Promise<Reply | undefined> => {
    let reply = await ask();
    if (good(reply)) return reply;
    first.push(`${what} ${reply.error ?? reply.status}`);
    await sleep(RETRY_AFTER_SECONDS * 1000);
    reply = await ask();
    if (good(reply)) return reply;
    bad.push(`${what} ${reply.error ?? reply.status}`);
    return undefined;
  };
  const loop = (async () => {
    while (!stop) {
      const content = crypto.randomBytes(65536),
        started = Date.now();
      const up = await twice(
        "upload",
        () => r.admin.call("POST", "/_matrix/media/v3/upload", content),
        (x) => x.status === 200,
      );
      if (!up) continue;
      ups++;
      const whole = (x: Reply): boolean => x.status === 200 && Buffer.compare(x.body, content) === 0;
      if (
        await twice(
          "download",
          () => r.admin.call("GET", `/_matrix/client/v1/media/download/${up.body.content_uri.slice(6)}`),
          whole,
        )
      )
        downs++;
      slowest = Math.max(slowest, Date.now() - started);
      await sleep(Math.max(0, 1000 - (Date.now() - started)));
    }
  })();
  try {
    await whileLost();
  } finally {
    stop = true;
    await loop;
  }
  const kinds = [...new Set([...first, ...bad])].join(", ");
  r.note(
    `${ups} uploads and ${downs} downloads; failed: ${first.length} at the first try, ${bad.length} after one retry${kinds ? ` (${kinds})` : ""}; slowest pair ${(slowest / 1000).toFixed(1)} s`,
  );
  if (bad.length) r.fail(`media: ${bad.length} failed after one retry`);
}
/** Kills it whenever it is back, so that it stays away for this long. */
async function keepAway(namespace: string, pod: () => Promise<string | undefined>, seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(2000)) {
    const name = await pod();
    if (name) await kill(namespace, name).catch(() => undefined);
  }
}
const podOn = async (namespace: string, name: RegExp, node: string): Promise<any> =>
  (await get("pods", "-n", namespace)).items.find(
    (p: any) => p.spec.nodeName === node && name.test(p.metadata.name) && !p.metadata.deletionTimestamp,
  );

/** A failure caused by deleting a pod. */
const lost = (
  scenario: Pick<Scenario, "id" | "title" | "bounds" | "seconds"> & Partial<Scenario>,
  action: Scenario["action"],
): Scenario => ({ group: "failure", how: "pod force-deleted", ...scenario, action });

export const PROCESSES: Scenario[] = [
  lost(
    {
      id: "synchrotron",
      title: "A sync worker is lost",
      quick: true,
      bounds: { gap: 8, failedAfterRetry: 0 },
      seconds: 20,
      partOf: "workers",
      promised: "worker 30 s",
    },
    async (r) => killOne(r, await anyOf(component("synapse-synchrotron"))),
  ),
  lost(
    {
      id: "event-persister",
      title: "An event persister is lost",
      quick: true,
      bounds: { gap: 20, failedAfterRetry: 40 },
      seconds: 35,
      partOf: "workers",
      promised: "worker 30 s",
    },
    async (r) => {
      await killOne(r, "synapse-event-persister-0");
      await flowing(r.load, 120);
    },
  ),
  lost(
    {
      id: "main",
      title: "The main process is lost",
      quick: true,
      bounds: { gap: 20, failedAfterRetry: 10 },
      seconds: 35,
      partOf: "workers",
      promised: "worker 30 s",
    },
    async (r) => {
      await killOne(r, "synapse-main-0");
      await flowing(r.load, 120);
    },
  ),
  lost(
    {
      id: "workers",
      title: "A process of each class of Synapse is lost, one class after the other",
      quick: false,
      bounds: { gap: 20, failedAfterRetry: 40 },
      seconds: 155,
      promised: "worker 30 s",
      how: "of each class one pod force-deleted; requests that this class serves, one after the other, until three succeed and its successor is ready",
    },
    async (r) => {
      const classes: string[] = [
        ...new Set<string>(
          (await get("pods", "-n", NS, "-l", "app.kubernetes.io/name=synapse")).items
            .map((p: any) => p.metadata.labels["app.kubernetes.io/component"])
            .filter((c: string) => c && c !== "synapse-check-config")
            .map((c: string) => c.replace(/^synapse-/, "")),
        ),
      ].sort();
      const { room_id } = await r.admin.must("POST", `${CLIENT}/createRoom`, { preset: "private_chat" });
      const rows: Array<Array<string | number>> = [];
      const windows: Array<[number, number]> = [];
      for (const cls of classes) {
        if (!windows.length) r.cause();
        const from = Date.now();
        rows.push(await classRow(r, cls, room_id));
        await flowing(r.load, 60);
        windows.push([from, Date.now()]);
      }
      const worst = rows.filter((row) => Number.parseFloat(String(row[2])) > 30);
      if (worst.length) r.fail(`away for more than 30 s: ${worst.map((row) => row[0]).join(", ")}`);
      return () =>
        r.table?.({
          head: [
            "Class",
            "Processes",
            "Its own requests: longest without service",
            "failed: first try / after one retry",
            "slowest",
            "Its successor ready",
            ...LOAD_HEAD,
          ],
          rows: withLoad(r.load, rows, windows),
        });
    },
  ),
  lost(
    {
      id: "router",
      title: "A router is lost",
      quick: true,
      bounds: { gap: 10, failedAfterRetry: 0 },
      seconds: 20,
      promised: "worker 30 s",
    },
    async (r) => killOne(r, await anyOf(component("haproxy"))),
  ),
  lost(
    {
      id: "pooler",
      title: "A connection pooler is lost",
      quick: true,
      bounds: { gap: 10, failedAfterRetry: 5 },
      seconds: 25,
    },
    async (r) => killOne(r, await anyOf("cnpg.io/poolerName")),
  ),
  lost(
    {
      id: "postgres-primary",
      title: "The PostgreSQL primary is lost",
      quick: true,
      bounds: { gap: 120, failedAfterRetry: 300 },
      seconds: 55,
      promised: "315 s",
    },
    async (r) => {
      const old = await primary();
      r.note(`${old} on ${await nodeOf(NS, old)}`);
      r.cause();
      await kill(NS, old);
      r.note(
        `another primary after ${(await until("another primary", 120, async () => ((await primary()) !== old ? undefined : "still the old one"))).toFixed(0)} s`,
      );
      await flowing(r.load, 120);
    },
  ),
  lost(
    {
      id: "ingress",
      title: "The ingress pod that holds the address is lost",
      quick: true,
      bounds: { gap: 20, failedAfterRetry: 10 },
      seconds: 30,
      promised: "< 1 s",
      how: "pod force-deleted (Envoy, in place of NGINX)",
    },
    async (r) => {
      const node = await holder(r.a.address);
      const pod = await podOn("projectcontour", /^envoy/, node);
      r.note(`${r.a.address} was held by ${node}`);
      r.cause();
      await kill("projectcontour", pod.metadata.name);
      await sleep(8000);
      await flowing(r.load, 60);
      r.note(`afterwards by ${await holder(r.a.address)}`);
    },
  ),
  lost(
    {
      id: "ingress-moves",
      title: "The speaker that announces the address is lost, and the address moves",
      quick: true,
      bounds: { gap: 20, failedAfterRetry: 10 },
      seconds: 40,
      partOf: "node-cut",
      promised: "< 1 s",
      how: "MetalLB's pod on the node that holds the address force-deleted again and again for 15 s",
    },
    async (r) => {
      const node = await holder(r.a.address),
        started = Date.now();
      r.note(`${r.a.address} was held by ${node}`);
      r.cause();
      const away = keepAway(
        "metallb-system",
        async () => (await podOn("metallb-system", /^speaker/, node))?.metadata.name,
        15,
      );
      const moved = await until("another node holds the address", 30, async () =>
        (await holder(r.a.address)) !== node ? undefined : "still the same",
      ).catch((error: Error) => {
        r.fail(error.message);
        return -1;
      });
      await away;
      await until("the speaker is back", 60, async () =>
        (await k("-n", "metallb-system", "get", "daemonset", "speaker", "-o", "jsonpath={.status.numberReady}")) === "3"
          ? undefined
          : "not ready",
      );
      await sleep(4000);
      await flowing(r.load, 60);
      r.note(
        `${moved < 0 ? "it did not move" : `held by another node after ${moved.toFixed(0)} s`}; with the speaker back, ${since(started)} after the cause, by ${await holder(r.a.address)}`,
      );
    },
  ),
  lost(
    {
      id: "minio-node",
      title: "A MinIO node is lost",
      quick: true,
      bounds: { gap: 10, failedAfterRetry: 0 },
      seconds: 45,
      how: "pod force-deleted again and again for 15 s; an upload and a download of 64 KiB every second",
    },
    (r) =>
      media(r, async () => {
        await sleep(3000);
        const uid = (await get("pod", "-n", "minio", "minio-1")).metadata.uid;
        r.cause();
        await keepAway("minio", async () => "minio-1", 15);
        await replaced("minio", "minio-1", uid, 120);
        await sleep(3000);
      }),
  ),
];
