/** Redis and its Sentinels: the master is killed, or cut off and reconnected; a minority of the Sentinels is lost. */
import { spawn, type ChildProcess } from "node:child_process";
import { until } from "../common/until";
import { ENV, get, isolate, join, KUBECTL, NS, podProcesses, pods, sleep } from "./cluster";
import { flowing, killOne, since, type Run, type Scenario } from "./scenario";

const SET = [0, 1, 2].map((i) => `redis-synapse-${i}`);
const PERIOD = 0.2;

/**
 * Watches INFO of every Redis of a set, three times a second. By `kubectl exec`, which the kubelet serves on its node:
 * failures of the pod's own network do not affect it.
 */
export class RedisWatch {
  private readonly children = new Map<string, ChildProcess>();
  private readonly last = new Map<string, { at: number; master: boolean; writes: boolean }>();
  private timer?: NodeJS.Timeout;
  private stopped = false;
  /**
   * Seconds in which two accepted writes, or called themselves master; names in the order in which they became master.
   */
  result = { twoTakeWrites: 0, twoMasters: 0, masters: [] as string[] };
  constructor(
    private readonly namespace: string,
    private readonly names: string[],
  ) {}

  start(): void {
    for (const n of this.names) this.follow(n);
    this.timer = setInterval(() => {
      const fresh = [...this.last].filter(([, s]) => Date.now() - s.at < 1000).map(([, s]) => s);
      if (fresh.filter((s) => s.writes).length > 1) this.result.twoTakeWrites += PERIOD;
      if (fresh.filter((s) => s.master).length > 1) this.result.twoMasters += PERIOD;
    }, PERIOD * 1000);
  }

  private follow(pod: string): void {
    if (this.stopped) return;
    const child = spawn(
      KUBECTL,
      [
        "-n",
        this.namespace,
        "exec",
        pod,
        "-c",
        "redis",
        "--",
        "redis-cli",
        "-r",
        "-1",
        "-i",
        "0.3",
        "info",
        "replication",
      ],
      { env: ENV, stdio: ["ignore", "pipe", "ignore"] },
    );
    this.children.set(pod, child);
    let text = "";
    child.stdout!.on("data", (c) => {
      text += c;
      for (
        let m: RegExpExecArray | null;
        (m = /# Replication[\s\S]*?repl_backlog_histlen:\d+/.exec(text));
        text = text.slice(m.index + m[0].length)
      ) {
        const master = m[0].includes("role:master");
        // A master without enough replicas in step refuses writes (min-replicas-to-write).
        const good = Number(/min_slaves_good_slaves:(\d+)/.exec(m[0])?.[1] ?? 1);
        this.last.set(pod, { at: Date.now(), master, writes: master && good > 0 });
        if (master && !this.result.masters.includes(pod)) this.result.masters.push(pod);
      }
    });
    child.on("close", () => {
      if (!this.stopped) setTimeout(() => this.follow(pod), 300);
    });
  }

  /** The pod that accepts writes, according to answers of the last 2 s. */
  master(): string | undefined {
    return [...this.last].find(([, s]) => s.writes && Date.now() - s.at < 2000)?.[0];
  }
  /** Seconds since a pod last answered. */
  silence(pod: string): number {
    return (Date.now() - (this.last.get(pod)?.at ?? 0)) / 1000;
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    for (const c of this.children.values()) c.kill();
  }
}

/** Runs with the watch, and judges by its results. */
async function watched(r: Run, act: (watch: RedisWatch, master: string) => Promise<void>): Promise<void> {
  const watch = new RedisWatch(NS, SET);
  watch.start();
  try {
    await until("a master", 20, () => (watch.master() ? undefined : "none seen"));
    await act(watch, watch.master()!);
  } finally {
    watch.stop();
  }
  const { masters, twoTakeWrites, twoMasters } = watch.result;
  r.note(
    `masters in order of their first turn ${masters.join(", ")}; two that took writes ${twoTakeWrites.toFixed(1)} s, two that called themselves master ${twoMasters.toFixed(1)} s`,
  );
  if (twoTakeWrites > 0) r.fail(`two masters took writes for ${twoTakeWrites.toFixed(1)} s`);
}
const another = (watch: RedisWatch, old: string, seconds: number): Promise<number> =>
  until("another master", seconds, () => (watch.master() && watch.master() !== old ? undefined : "none"));
const uidOf = async (pod: string): Promise<string> => (await get("pod", "-n", NS, pod)).metadata.uid;

export const REDIS: Scenario[] = [
  {
    id: "redis-master",
    group: "failure",
    title: "The Redis master is lost",
    how: "pod force-deleted; INFO of all three read three times a second",
    promised: "5 to 10 s",
    seconds: 40,
    quick: true,
    bounds: { gap: 60, failedAfterRetry: 5 },
    action: (r) =>
      watched(r, async (watch, old) => {
        const started = Date.now();
        await killOne(r, old);
        await another(watch, old, 60);
        r.note(`another master within ${since(started)} of the deletion`);
        await flowing(r.load, 60);
        await sleep(5000);
      }),
  },
  {
    id: "redis-isolated",
    group: "failure",
    title: "The Redis master is cut off, and comes back",
    how: "its pod's network interface down for 25 s, then up; INFO of all three read three times a second through the kubelets",
    promised: "5 to 10 s",
    seconds: 60,
    bounds: { gap: 60, failedAfterRetry: 5 },
    action: (r) =>
      watched(r, async (watch, old) => {
        const uid = await uidOf(old),
          started = Date.now();
        try {
          r.cause();
          await isolate(uid);
          r.note(`${old} cut off; another master after ${(await another(watch, old, 60)).toFixed(0)} s`);
          await sleep(Math.max(0, 25_000 - (Date.now() - started)));
          if (watch.silence(old) > 5)
            r.fail(`the watch got no answer from ${old} while it was cut off: this proves nothing`);
        } finally {
          await join(uid);
        }
        await until("the old master follows", 60, async () =>
          (await pods(NS, "app.kubernetes.io/component=redis-synapse")).length === SET.length && watch.silence(old) < 2
            ? undefined
            : "not ready",
        );
        await flowing(r.load, 60);
        await sleep(8000);
        r.note(`${since(started)} from the cut until all three were ready and in step`);
      }),
  },
  {
    id: "sentinel-minority",
    group: "failure",
    title: "A Sentinel is lost, then the Redis master as well",
    how: "SIGSTOP to one Sentinel of three; 8 s later SIGKILL to the master's process",
    promised: "5 to 10 s",
    seconds: 45,
    bounds: { gap: 60, failedAfterRetry: 5 },
    action: (r) =>
      watched(r, async (watch, old) => {
        const lame = SET.find((p) => p !== old)!;
        const sentinel = podProcesses(await uidOf(lame), /sentinel/);
        if (!sentinel.length) throw new Error(`no Sentinel found in ${lame}`);
        const redis = podProcesses(await uidOf(old), /redis-server(?!.*sentinel)/);
        if (!redis.length) throw new Error(`no Redis found in ${old}`);
        try {
          r.cause();
          for (const p of sentinel) process.kill(p, "SIGSTOP");
          await sleep(8000);
          if (watch.master() !== old)
            r.fail(`the master changed from ${old} to ${watch.master()} for the loss of one Sentinel`);
          r.note(
            `the Sentinel of ${lame} stopped: for 8 s ${watch.master() === old ? "nothing changed" : "the master changed"}`,
          );
          for (const p of redis) process.kill(p, "SIGKILL");
          r.note(
            `Redis of ${old} killed; the two Sentinels left made another master after ${(await another(watch, old, 60)).toFixed(0)} s`,
          );
          await flowing(r.load, 60);
        } finally {
          for (const p of sentinel)
            try {
              process.kill(p, "SIGCONT");
            } catch {
              /* the kubelet has restarted it */
            }
        }
        await sleep(5000);
      }),
  },
];
