/** Redis and Sentinel as generated, in sets of several network namespaces: elections, discovery and recovery. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PodTemplate, Subject } from "../../policy/types";
import { capture } from "../../lab/capture";
import { DOWN_AFTER_MILLISECONDS } from "../../components/layers/redis/topology";
import { domain, SIZE_CONFIGURATIONS, subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { answers, Network, type Running, type TestPod } from "../../lab/real/network";
import { rootfsOf } from "../../lab/real/programs";

const sets = (s: Subject): PodTemplate[] =>
  s.templates.filter((t) => t.owner.kind === "StatefulSet" && t.owner.name.startsWith("redis-"));

/** One set, started, in step and with every Sentinel knowing the others. */
class RedisSet {
  readonly pods: TestPod[];
  readonly processes: Array<{ redis: Running; sentinel: Running }>;
  readonly name: string;
  constructor(
    private readonly net: Network,
    s: Subject,
    readonly t: PodTemplate,
  ) {
    this.name = t.owner.name;
    this.pods = Array.from({ length: t.owner.inputs.spec.replicas }, (_, i) =>
      net.pod(t, s.objects, `${t.owner.name}-${i}`, domain(s)),
    );
    this.processes = this.pods.map((p) => ({ redis: this.start(p, "redis"), sentinel: this.start(p, "sentinel") }));
  }
  private start(p: TestPod, name: string): Running {
    return this.net.startContainer(
      p,
      p.containers.find((x) => x.name === name)!,
    );
  }
  /** As the kubelet does with one that has ended. */
  restart(i: number): Running {
    return (this.processes[i]!.redis = this.start(this.pods[i]!, "redis"));
  }
  /** Whether it ends on its own within a minute. */
  async ended(i: number): Promise<void> {
    const { redis } = this.processes[i]!;
    await Promise.race([redis.ended, sleep(60_000)]);
    assert.notEqual(redis.exit, undefined, `still runs: ${redis.output.slice(-2000)}`);
  }
  async kill(i: number): Promise<void> {
    process.kill(-this.processes[i]!.redis.child.pid!, "SIGKILL");
    await this.ended(i);
  }
  /** Its append-only files. */
  files(i: number): string {
    return path.join(this.pods[i]!.volume("data"), "redis/appendonlydir");
  }
  private async inStep(i: number): Promise<boolean> {
    await this.probe(i);
    return /master_link_status:up/.test(await this.redis(i, "info", "replication"));
  }
  /** Ready, in step with its master, and with this key in that length. */
  async has(i: number, key: string, length: number): Promise<boolean> {
    return (await this.inStep(i)) && (await this.redis(i, "get", key)).trim().length === length;
  }
  /**
   * In step with its master, and what comes from now on goes to its append-only file, which is made in the background
   * after that.
   */
  async writes(i: number): Promise<void> {
    const files = this.files(i);
    await this.processes[i]!.redis.until(async () => {
      return (
        (await this.inStep(i)) &&
        /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0[\s\S]*aof_last_bgrewrite_status:ok/.test(
          await this.redis(i, "info", "persistence"),
        ) &&
        [".base.rdb", ".incr.aof"].every(
          (suffix) => fs.readdirSync(files).filter((f) => f.endsWith(suffix)).length === 1,
        )
      );
    }, 90);
  }
  get running(): Running[] {
    return this.processes.flatMap((p) => [p.redis, p.sentinel]);
  }

  async ask(pod: TestPod, port: number, ...args: string[]): Promise<string> {
    const password = this.pods[0]!.containers[0]!.env.REDISCLI_AUTH!;
    return (
      await capture("ip", [
        "netns",
        "exec",
        pod.netns,
        "chroot",
        rootfsOf("redis"),
        "timeout",
        "10",
        "redis-cli",
        "--no-auth-warning",
        "-a",
        password,
        "-h",
        pod.ip,
        "-p",
        String(port),
        ...args,
      ])
    ).stdout;
  }
  redis(i: number, ...args: string[]): Promise<string> {
    return this.ask(this.pods.at(i)!, 6379, ...args);
  }
  sentinel(i: number, ...args: string[]): Promise<string> {
    return this.ask(this.pods.at(i)!, 26379, "sentinel", ...args);
  }
  /** Its readiness probe, as the kubelet would run it. */
  async probe(i: number): Promise<void> {
    const pod = this.pods.at(i)!;
    await this.net.run(
      pod,
      pod.containers.find((x) => x.name === "redis")!,
      ["bash", "/scripts/redis-ready.sh"],
    );
  }
  async follows(i: number): Promise<string | undefined> {
    return /master_host:(\S+)/.exec(await this.redis(i, "info", "replication"))?.[1];
  }

  async settled(): Promise<this> {
    const others = this.pods.length - 1;
    await this.processes[0]!.redis.until(
      async () => new RegExp(`connected_slaves:${others}\\b`).test(await this.redis(0, "info", "replication")),
      90,
    );
    // A Sentinel asks for the replicas every 10 s: until then it knows none that it could promote.
    const known = new RegExp(`num-slaves\n${others}\nnum-other-sentinels\n${others}\n`);
    for (const [i, { sentinel }] of this.processes.entries())
      await sentinel.until(async () => known.test(await this.sentinel(i, "master", this.name)), 90);
    return this;
  }
}

describe("Redis, Sentinel and LiveKit", () => {
  let net: Network;
  beforeEach(async () => {
    net = await new Network().start();
  });
  afterEach(() => net.close());
  for (const c of SIZE_CONFIGURATIONS) {
    it(`${c.name}: each set elects a master that its proxy finds; LiveKit finds it through the Sentinels`, async () => {
      const s = await subjectFor(c);
      const started: Running[] = [];
      await Promise.all(
        sets(s).map(async (t) => {
          const set = await new RedisSet(net, s, t).settled();
          started.push(...set.running);
          const max = /maxmemory (\d+)mb/.exec(
            JSON.stringify(
              s.objects.find((o) => o.kind === "ConfigMap" && o.name === `${set.name}-scripts`)!.inputs.data,
            ),
          )![1]!;
          assert.match(
            await set.redis(0, "config", "get", "maxmemory"),
            new RegExp(`\\b${Number(max) * 1024 ** 2}\\b`),
          );
          assert.match(await set.sentinel(0, "ckquorum", set.name), /^OK/);
          count("Redis and Sentinel processes started", set.pods.length * 2);

          // One that follows a replica finds the master by its own readiness probe, the second time (the first may be a
          // failover's).
          const master = (await set.follows(-1))!;
          await set.redis(-1, "replicaof", master.replace(/-0\./, "-1."), "6379");
          await set.probe(-1);
          assert.equal(await set.follows(-1), master.replace(/-0\./, "-1."));
          // Its Sentinel may be too busy to answer in time; it would correct a replica that it knows after 8 s itself.
          for (let i = 0; i < 4 && (await set.follows(-1)) !== master; i++) await set.probe(-1);
          assert.equal(await set.follows(-1), master);

          const proxy = s.templates.find((x) => x.owner.name === `${set.name}-master`)!;
          const p = net.pod(proxy, s.objects, `${proxy.owner.name}-x`, domain(s));
          const h = net.startContainer(p, p.containers[0]!);
          started.push(h);
          await h.until(async () => /role:master/.test(await set.ask(p, 6379, "info", "replication")), 90);
          count("Redis proxies that found the master");
        }),
      );
      const livekit = s.templates.find((t) => t.owner.name === "livekit");
      if (livekit) {
        const pod = net.pod(livekit, s.objects, "livekit-x", domain(s));
        for (const i of pod.init) {
          const r = await net.run(pod, i);
          assert.equal(r.status, 0, r.output);
        }
        const lk = net.startContainer(pod, pod.containers[0]!);
        started.push(lk);
        await lk.until(async () => (await answers(`http://${pod.ip}:7880/`)) === 200, 90);
        count("LiveKit processes started");
      }
      for (const r of started)
        assert.doesNotMatch(
          r.output,
          /unknown (option|directive|field)|deprecated|bad directive|unresolved configuration|not recognized|FATAL CONFIG|# WARNING(?!.*(overcommit|backlog|TCP|Memory))/i,
          r.name,
        );
    });
  }

  it("a set whose Sentinels noticed the loss of the master too late still elects another", async () => {
    const s = await subjectFor(SIZE_CONFIGURATIONS[0]!);
    const set = await new RedisSet(net, s, sets(s)[0]!).settled(),
      rest = [1, 2];
    // Ten times this is how long a replica may have waited; with the stack's own 5 s the test would take 50 s more.
    for (const i of rest) await set.sentinel(i, "set", set.name, "down-after-milliseconds", "1000");
    for (const i of rest) process.kill(-set.processes[i]!.sentinel.child.pid!, "SIGSTOP");
    try {
      for (const gone of Object.values(set.processes[0]!)) process.kill(-gone.child.pid!, "SIGKILL");
      await sleep(14_000);
    } finally {
      for (const i of rest) process.kill(-set.processes[i]!.sentinel.child.pid!, "SIGCONT");
    }
    // They pause for 30 s, because time has jumped, and then find no suitable replica.
    const output = (): string => rest.map((i) => set.processes[i]!.sentinel.output).join("");
    await set.processes[1]!.sentinel.until(() => output().includes("-failover-abort-no-good-slave"), 180);
    assert.doesNotMatch(output(), /\+switch-master/);
    const masters = async (): Promise<number> =>
      (await Promise.all(rest.map((i) => set.redis(i, "role")))).filter((r) => r.startsWith("master")).length;
    const probes = async (): Promise<void> => {
      for (const i of rest) await set.probe(i);
    };
    // What it prints on failure tells why: the Sentinels elect.
    await set.processes[1]!.sentinel.until(async () => {
      await probes();
      return (await masters()) === 1;
    }, 180);
    const waits = async (): Promise<string[]> =>
      Promise.all(
        rest.map(async (i) => /down-after-milliseconds\n(\d+)/.exec(await set.sentinel(i, "master", set.name))![1]!),
      );
    await set.processes[1]!.redis.until(async () => {
      await probes();
      return (await waits()).every((w) => w === String(DOWN_AFTER_MILLISECONDS));
    }, 90);
    assert.equal(await masters(), 1);
    count("Redis and Sentinel processes started", set.pods.length * 2);
  });

  it("an instance whose append-only file was damaged by a full disk still starts, and keeps the damaged file", async () => {
    const s = await subjectFor(SIZE_CONFIGURATIONS[0]!);
    const set = await new RedisSet(net, s, sets(s)[0]!).settled(),
      files = set.files(2);
    await set.writes(2);
    // In the append-only file, not in what the synchronisation began with.
    for (let i = 0; i < 50; i++) await set.redis(0, "set", `key${i}`, "x".repeat(100));
    const inStep = (): Promise<boolean> => set.has(2, "key49", 100);
    await set.processes[2]!.redis.until(inStep, 90);
    // Everything is on its disk; with everysec that is a second later.
    await sleep(1500);
    // Within the first file all after the hole is lost, so there it is at the beginning.
    const middle = (b: Buffer): Buffer => b.fill(0, Math.floor(b.length / 3), Math.floor(b.length / 2)),
      signature = (b: Buffer): Buffer => b.fill(0, 0, 5);
    for (const [suffix, damage, message] of [
      [".incr.aof", middle, /is cut off there; all of it is in/],
      [".base.rdb", signature, /sends everything/],
    ] as const) {
      await set.writes(2);
      await set.kill(2);
      const file = path.join(
          files,
          fs.readdirSync(files).find((f) => f.endsWith(suffix))!,
        ),
        damaged = damage(fs.readFileSync(file));
      fs.writeFileSync(file, damaged);
      const failing = set.restart(2);
      await set.ended(2);
      assert.match(
        failing.output,
        /Bad file format|Wrong signature|Internal error in RDB|Unexpected|checksum|Error reading/i,
      );
      const redis = set.restart(2);
      await redis.until(inStep, 90);
      assert.match(redis.output, message);
      assert.deepEqual(fs.readFileSync(path.join(`${files}.damaged`, path.basename(file))), damaged);
    }
    count("Redis instances started on damaged files", 2);
  });

  it("a replica whose disk is full continues in memory, and writes when there is room again", async () => {
    const s = await subjectFor(SIZE_CONFIGURATIONS[0]!);
    const set = await new RedisSet(net, s, sets(s)[0]!).settled();
    await set.kill(2);
    const pod = set.pods[2]!,
      data = pod.volume("data"),
      { uid, gid } = pod.containers.find((x) => x.name === "redis")!;
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=4m,uid=${uid},gid=${gid}`, "tmpfs", data]);
    try {
      const redis = set.restart(2);
      const has = (key: string): Promise<boolean> => set.has(2, key, 5000);
      const write = (key: string): Promise<string> => set.redis(0, "set", key, "x".repeat(5000));
      await write("before");
      await redis.until(() => has("before"), 90);
      await set.writes(2);
      const filler = path.join(data, "filler");
      try {
        fs.writeFileSync(filler, Buffer.alloc(8 * 2 ** 20));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      }
      await write("full");
      await redis.until(async () => /aof_last_write_status:err/.test(await set.redis(2, "info", "persistence")), 60);
      await write("still-full");
      await redis.until(() => has("still-full"), 60);
      fs.rmSync(filler);
      await redis.until(async () => /aof_last_write_status:ok/.test(await set.redis(2, "info", "persistence")), 60);
      assert.ok(await has("full"));
      count("Redis instances whose disk was full");
    } finally {
      execFileSync("umount", ["-l", data]);
    }
  });
});
