/** The cluster as a failure needs it: asked and changed by kubectl, never blocking the load that runs in this process. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { KUBECONFIG } from "../../lab/local/access";
import { CACHE_DIR, RUN_DIR } from "../../lab/local/state";

const KUBECTL = path.join(CACHE_DIR, "bin", "kubectl");
const ENV = { ...process.env, KUBECONFIG };
export const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

export function run(file: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => execFile(file, args, { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => (error ? reject(new Error(`${path.basename(file)} ${args.join(" ")}: ${stderr.trim() || error.message}`)) : resolve(stdout))));
}
export const k = (...args: string[]): Promise<string> => run(KUBECTL, ["--request-timeout=120s", ...args], ENV);
export const get = async (...args: string[]): Promise<any> => JSON.parse(await k("get", ...args, "-o", "json"));

export async function until(what: string, seconds: number, check: () => Promise<string | undefined> | string | undefined): Promise<number> {
  const started = Date.now();
  for (let why: string | undefined = "not asked"; ;) {
    try { why = await check(); } catch (error) { why = (error as Error).message; }
    if (why === undefined) return (Date.now() - started) / 1000;
    if (Date.now() - started > seconds * 1000) throw new Error(`${what}: not within ${seconds} s: ${why}`);
    await sleep(1000);
  }
}

const ready = (p: any): boolean => !p.metadata.deletionTimestamp && p.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True");

/** Undefined when everything is as it should be; else what is not. */
export async function ailment(): Promise<string | undefined> {
  const wrong: string[] = [];
  for (const n of (await get("nodes")).items) {
    if (n.spec.unschedulable) wrong.push(`${n.metadata.name} cordoned`);
    if (!n.status.conditions.some((c: any) => c.type === "Ready" && c.status === "True")) wrong.push(`${n.metadata.name} not ready`);
    if (n.spec.taints?.length) wrong.push(`${n.metadata.name} tainted`);
  }
  for (const o of (await get("deployments,statefulsets,daemonsets", "-A")).items) {
    const s = o.status, want = o.kind === "DaemonSet" ? s.desiredNumberScheduled : o.spec.replicas;
    const have = (o.kind === "DaemonSet" ? s.numberReady : s.readyReplicas) ?? 0;
    const updated = o.kind === "DaemonSet" ? s.updatedNumberScheduled : s.updatedReplicas;
    if (have < want || (updated ?? 0) < want || (s.observedGeneration ?? 0) < o.metadata.generation) wrong.push(`${o.metadata.name} ${have}/${want}`);
  }
  for (const p of (await get("pods", "-A")).items) if (p.status.phase !== "Succeeded" && !ready(p)) wrong.push(`pod ${p.metadata.name} ${p.metadata.deletionTimestamp ? "ending" : "not ready"}`);
  for (const c of (await get("clusters.postgresql.cnpg.io", "-A")).items) {
    if (c.status.readyInstances !== c.spec.instances || c.status.phase !== "Cluster in healthy state") wrong.push(`${c.metadata.name} ${c.status.readyInstances}/${c.spec.instances} ${c.status.phase}`);
  }
  return wrong.length ? wrong.slice(0, 6).join(", ") : undefined;
}
export const healthy = (seconds: number): Promise<number> => until("everything healthy", seconds, ailment);

/** Container restarts so far, to tell afterwards who crashed on the way. */
export async function restarts(): Promise<Map<string, number>> {
  const all = new Map<string, number>();
  for (const p of (await get("pods", "-A")).items) for (const c of p.status.containerStatuses ?? []) all.set(`${p.metadata.name}/${c.name} ${p.metadata.uid}`, c.restartCount);
  return all;
}

export const pods = async (namespace: string, selector: string): Promise<any[]> => (await get("pods", "-n", namespace, "-l", selector)).items.filter((p: any) => ready(p));
/** As if its machine had taken it away: no grace, and the API server forgets it at once. */
export const kill = (namespace: string, pod: string): Promise<string> => k("-n", namespace, "delete", "pod", pod, "--grace-period=0", "--force", "--wait=false");

/** The pod is there anew (another uid) and ready. */
export const replaced = (namespace: string, pod: string, uid: string, seconds: number): Promise<number> =>
  until(`${pod} anew`, seconds, async () => {
    const p = await get("pod", "-n", namespace, pod);
    return p.metadata.uid !== uid && ready(p) ? undefined : p.metadata.uid === uid ? "still the old one" : `phase ${p.status.phase}`;
  });

/** Node that answers for the announced address now: whose MAC this machine has learnt. */
export async function holder(address: string): Promise<string> {
  const mac = /lladdr (\S+)/.exec(await run("ip", ["neigh", "show", address]))?.[1];
  for (const n of ["1", "2", "3"]) if (mac && (await run("ip", ["-n", `lab-n${n}`, "link", "show", "eth0"])).includes(mac)) return `node${n}`;
  throw new Error(`nobody holds ${address}`);
}

/** Every process of a node, its pods' included: all descendants of the process that made it. */
function processes(node: string): number[] {
  const root = Number(fs.readFileSync(path.join(RUN_DIR, node, "pid"), "utf8").split(" ")[0]);
  const children = new Map<number, number[]>();
  for (const d of fs.readdirSync("/proc").filter((x) => /^\d+$/.test(x))) {
    try {
      const parent = Number(fs.readFileSync(`/proc/${d}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(d)]);
    } catch { /* it has ended */ }
  }
  const all: number[] = [];
  for (let at = children.get(root) ?? []; at.length; at = at.flatMap((p) => children.get(p) ?? [])) all.push(...at);
  return all;
}
function signal(node: string, name: "SIGSTOP" | "SIGCONT"): number {
  let count = 0;
  for (const p of processes(node)) try { process.kill(p, name); count++; } catch { /* it has ended */ }
  return count;
}
/** Twice: what was started while the list was read is stopped the second time. */
export const freeze = (node: string): number => { signal(node, "SIGSTOP"); return signal(node, "SIGSTOP"); };
export const thaw = (node: string): number => signal(node, "SIGCONT");
export const cable = (node: string, state: "up" | "down"): Promise<string> => run("ip", ["-n", "lab-sw", "link", "set", `p-n${node.slice(4)}`, state]);

/** Watches INFO of every Redis of a set, three times a second. */
export class RedisWatch {
  private readonly children = new Map<string, ChildProcess>();
  private readonly last = new Map<string, { at: number; master: boolean; writes: boolean }>();
  private timer?: NodeJS.Timeout;
  private stopped = false;
  /** Seconds in which two took writes, or called themselves master; names in order of their first mastership. */
  result = { twoTakeWrites: 0, twoMasters: 0, masters: [] as string[] };
  constructor(private readonly namespace: string, private readonly names: string[]) {}

  start(): void {
    for (const n of this.names) this.follow(n);
    this.timer = setInterval(() => {
      const fresh = [...this.last].filter(([, s]) => Date.now() - s.at < 1000).map(([, s]) => s);
      if (fresh.filter((s) => s.writes).length > 1) this.result.twoTakeWrites += 0.2;
      if (fresh.filter((s) => s.master).length > 1) this.result.twoMasters += 0.2;
    }, 200);
  }

  private follow(pod: string): void {
    if (this.stopped) return;
    const child = spawn(KUBECTL, ["-n", this.namespace, "exec", pod, "-c", "redis", "--", "redis-cli", "-r", "-1", "-i", "0.3", "info", "replication"], { env: ENV, stdio: ["ignore", "pipe", "ignore"] });
    this.children.set(pod, child);
    let text = "";
    child.stdout!.on("data", (c) => {
      text += c;
      for (let m: RegExpExecArray | null; (m = /# Replication[\s\S]*?repl_backlog_histlen:\d+/.exec(text)); text = text.slice(m.index + m[0].length)) {
        const master = m[0].includes("role:master");
        const good = Number(/min_slaves_good_slaves:(\d+)/.exec(m[0])?.[1] ?? 1);
        this.last.set(pod, { at: Date.now(), master, writes: master && good > 0 });
        if (master && this.result.masters.at(-1) !== pod) this.result.masters.push(pod);
      }
    });
    child.on("close", () => { if (!this.stopped) setTimeout(() => this.follow(pod), 300); });
  }

  master(): string | undefined { return [...this.last].find(([, s]) => s.writes)?.[0]; }

  stop(): void { this.stopped = true; clearInterval(this.timer); for (const c of this.children.values()) c.kill(); }
}
