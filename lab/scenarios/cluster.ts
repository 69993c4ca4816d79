/**
 * Reads and changes the cluster for the failure scenarios, without blocking the load that runs in this process.
 */
import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KUBECONFIG } from "../local/access";

import { CACHE_DIR, ROOT, RUN_DIR } from "../common/folders";
import { until } from "../common/until";
import { Api } from "./api";

export { sleep };

export const NS = "matrix";
export const CLUSTER = "synapse-postgres";
const MORE = path.join(RUN_DIR, "nodes.more");
/** Numbers of the lab's nodes: the initial ones, and those that lab/cluster/more.sh has added. */
const numbers = (): string[] => [
  "1",
  "2",
  "3",
  ...(fs.existsSync(MORE) ? fs.readFileSync(MORE, "utf8").trim().split(" ") : []),
];
export const KUBECTL = path.join(CACHE_DIR, "bin", "kubectl");
export const ENV = { ...process.env, KUBECONFIG };

export function run(file: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(file, args, { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      error
        ? reject(new Error(`${path.basename(file)} ${args.join(" ")}: ${stderr.trim() || error.message}`))
        : resolve(stdout),
    ),
  );
}
export const k = (...args: string[]): Promise<string> => run(KUBECTL, ["--request-timeout=120s", ...args], ENV);

/** Paths of the API server for the kinds used here. */
const PATHS: Record<string, [api: string, resource: string]> = {
  nodes: ["api/v1", "nodes"],
  pods: ["api/v1", "pods"],
  pod: ["api/v1", "pods"],
  pvc: ["api/v1", "persistentvolumeclaims"],
  pv: ["api/v1", "persistentvolumes"],
  deployments: ["apis/apps/v1", "deployments"],
  statefulsets: ["apis/apps/v1", "statefulsets"],
  daemonsets: ["apis/apps/v1", "daemonsets"],
  jobs: ["apis/batch/v1", "jobs"],
  horizontalpodautoscalers: ["apis/autoscaling/v2", "horizontalpodautoscalers"],
  "clusters.postgresql.cnpg.io": ["apis/postgresql.cnpg.io/v1", "clusters"],
  "backups.postgresql.cnpg.io": ["apis/postgresql.cnpg.io/v1", "backups"],
};
let api: Api | undefined;
/**
 * `kubectl get KINDS [NAME] [-n NAMESPACE | -A] [-l LABELS] -o json`, without the program: run every second of every
 * wait, it took a tenth of the machine under measurement.
 */
export async function get(kinds: string, ...args: string[]): Promise<any> {
  const option = (name: string): string | undefined => {
    const i = args.indexOf(name);
    return i < 0 ? undefined : args.splice(i, 2)[1];
  };
  const namespace = option("-n"),
    labels = option("-l"),
    name = args.find((a) => a !== "-A");
  api ??= new Api(KUBECONFIG);
  const lists = await Promise.all(
    kinds.split(",").map(async (kind) => {
      const [group, resource] =
        PATHS[kind] ??
        ((): never => {
          throw new Error(`${kind}: not among ${Object.keys(PATHS).join(", ")}`);
        })();
      const found = await api!.get(
        `/${group}/${namespace ? `namespaces/${namespace}/` : ""}${resource}${name ? `/${name}` : ""}${labels ? `?labelSelector=${encodeURIComponent(labels)}` : ""}`,
      );
      // Only a list itself states the kind of its items.
      for (const item of found.items ?? [])
        Object.assign(item, { apiVersion: found.apiVersion, kind: found.kind.replace(/List$/, "") });
      return found;
    }),
  );
  return lists.length === 1 ? lists[0] : { items: lists.flatMap((l) => l.items) };
}

/** Runs an npm script of this repository until it ends; returns its output and exit code. */
export function script(name: string, ...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["run", "-s", name, "--", ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const s of [child.stdout, child.stderr])
      s.on("data", (c) => {
        text += c;
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}
/** `npm run local -- deploy` with these settings; its output. */
export async function deploy(sets: string[], more: string[] = []): Promise<string> {
  const { code, text } = await script("local", "deploy", ...sets.flatMap((s) => ["--set", s]), ...more);
  if (code !== 0) throw new Error(`deploy ${[...sets, ...more].join(" ")} ended with ${code}: ${text.slice(-600)}`);
  return text;
}

export const ready = (p: any): boolean =>
  !p.metadata.deletionTimestamp && p.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True");

/**
 * Undefined if the operator calls a PostgreSQL cluster healthy and all of its instances are ready; otherwise the
 * ailment.
 */
export const clusterAilment = (c: any): string | undefined =>
  c.status.readyInstances !== c.spec.instances || c.status.phase !== "Cluster in healthy state"
    ? `${c.metadata.name} ${c.status.readyInstances}/${c.spec.instances} ${c.status.phase}`
    : undefined;

const nodeAilments = (n: any): string[] => [
  ...(n.spec.unschedulable ? [`${n.metadata.name} cordoned`] : []),
  ...(n.status.conditions.some((c: any) => c.type === "Ready" && c.status === "True")
    ? []
    : [`${n.metadata.name} not ready`]),
  ...(n.spec.taints?.length ? [`${n.metadata.name} tainted`] : []),
];

/** The numbers of pods that a controller wants, has ready, and has from its newest template. */
function counts({ kind, spec, status: s }: any): { want: number; have: number; updated: number } {
  if (kind === "DaemonSet")
    return { want: s.desiredNumberScheduled, have: s.numberReady ?? 0, updated: s.updatedNumberScheduled ?? 0 };
  return { want: spec.replicas, have: s.readyReplicas ?? 0, updated: s.updatedReplicas ?? 0 };
}
function workloadAilments(o: any): string[] {
  const { want, have, updated } = counts(o);
  return have < want || updated < want || (o.status.observedGeneration ?? 0) < o.metadata.generation
    ? [`${o.metadata.name} ${have}/${want}`]
    : [];
}

/** @param done uids of Jobs that have succeeded: the pod of a failed attempt stays beside the successful one. */
function podAilments(p: any, done: ReadonlySet<string>): string[] {
  if (p.status.phase === "Succeeded" || ready(p) || p.metadata.ownerReferences?.some((o: any) => done.has(o.uid)))
    return [];
  return [`pod ${p.metadata.name} ${p.metadata.deletionTimestamp ? "ending" : "not ready"}`];
}

/** Undefined if everything is healthy; otherwise the ailments. */
export async function ailment(): Promise<string | undefined> {
  const all: any[] = (
    await get("nodes,deployments,statefulsets,daemonsets,jobs,pods,clusters.postgresql.cnpg.io", "-A")
  ).items;
  const of = (...kinds: string[]): any[] => all.filter((o) => kinds.includes(o.kind));
  const done = new Set<string>(
    of("Job")
      .filter((j) => j.status.succeeded)
      .map((j) => j.metadata.uid),
  );
  const wrong = [
    ...of("Node").flatMap(nodeAilments),
    ...of("Deployment", "StatefulSet", "DaemonSet").flatMap(workloadAilments),
    ...of("Pod").flatMap((p) => podAilments(p, done)),
  ];
  for (const c of of("Cluster")) {
    const why = clusterAilment(c);
    if (why) wrong.push(why);
    // Checked last, because each check starts a process in a pod.
    if (!wrong.length) for (const standby of await behind(c)) wrong.push(`${standby} does not follow the primary`);
  }
  return wrong.length ? wrong.slice(0, 6).join(", ") : undefined;
}

/** One line of SQL in an instance, as its superuser. */
export const psql = async (pod: string, sql: string, database = "postgres"): Promise<string> =>
  (await k("-n", NS, "exec", pod, "-c", "postgres", "--", "psql", "-qAtX", "-d", database, "-c", sql)).trim();

/**
 * Base backups and new instances wait for the next checkpoint of the instance that they copy: minutes if little is
 * written. So this requests one, as docs/operate.md says.
 */
export async function checkpoint(): Promise<void> {
  for (const p of await pods(NS, `cnpg.io/cluster=${CLUSTER},cnpg.io/podRole=instance`).catch(() => []))
    await psql(p.metadata.name, "checkpoint").catch(() => undefined);
}

/**
 * Standbys that do not stream: the operator calls them ready nevertheless. (The timeline that it reports is that of the
 * last checkpoint.)
 */
export async function behind(cluster: any): Promise<string[]> {
  const { currentPrimary, instanceNames } = cluster.status;
  const streaming = (
    await psql(currentPrimary, "select application_name from pg_stat_replication where state = 'streaming'")
  ).split("\n");
  return (instanceNames as string[]).filter((n) => n !== currentPrimary && !streaming.includes(n));
}
/** A ready standby finds the primary within seconds; after this time it has forked off. */
const FORKED_SECONDS = 60;

/**
 * Waits until everything is healthy; returns seconds. A standby that has read WAL which the new primary never had stays
 * behind forever: this runs the runbook's commands for it (alert PostgresStandbyNotStreaming), and notes that.
 */
export async function healthy(seconds: number, note?: (text: string) => void): Promise<number> {
  const since = new Map<string, number>();
  return until(
    "everything healthy",
    seconds,
    async () => {
      const why = await ailment();
      if (why?.includes("Creating a new replica")) await checkpoint();
      if (why?.endsWith("does not follow the primary"))
        for (const c of (await get("clusters.postgresql.cnpg.io", "-A")).items)
          for (const standby of await behind(c)) {
            const first = since.get(standby) ?? Date.now();
            since.set(standby, first);
            if (Date.now() - first < FORKED_SECONDS * 1000) continue;
            since.set(standby, Infinity);
            await k(
              "-n",
              c.metadata.namespace,
              "exec",
              standby,
              "-c",
              "postgres",
              "--",
              "rm",
              "/var/lib/postgresql/data/pgdata/standby.signal",
            );
            await k("-n", c.metadata.namespace, "delete", "pod", standby, "--wait=false");
            note?.(`${standby} had forked off and was rewound by the runbook's commands`);
          }
      return why;
    },
    2,
  );
}

/** Container restarts so far, to find out afterwards which containers crashed. */
export async function restarts(): Promise<Map<string, number>> {
  const all = new Map<string, number>();
  for (const p of (await get("pods", "-A")).items)
    for (const c of p.status.containerStatuses ?? [])
      all.set(`${p.metadata.name}/${c.name} ${p.metadata.uid}`, c.restartCount);
  return all;
}

/**
 * Pods created after a moment, each with the seconds until it was ready; and the time of the database's new primary.
 */
export async function newcomers(moment: number): Promise<string[]> {
  const after = (date: string): number => (Date.parse(date) - moment) / 1000;
  const found: Array<[string, number]> = [];
  for (const p of (await get("pods", "-n", NS)).items) {
    const is = (p.status.conditions ?? []).find((c: any) => c.type === "Ready" && c.status === "True");
    if (is && p.metadata.ownerReferences?.[0].kind !== "Job" && after(p.metadata.creationTimestamp) >= -1)
      found.push([p.metadata.name, after(is.lastTransitionTime)]);
  }
  for (const c of (await get("clusters.postgresql.cnpg.io", "-n", NS)).items)
    if (after(c.status.currentPrimaryTimestamp) > 0)
      found.push([`${c.status.currentPrimary} made primary`, after(c.status.currentPrimaryTimestamp)]);
  return found.sort((a, b) => a[1] - b[1]).map(([name, s]) => `${name} ${Math.max(0, s).toFixed(0)} s`);
}

export const pods = async (namespace: string, selector: string): Promise<any[]> =>
  (await get("pods", "-n", namespace, "-l", selector)).items.filter((p: any) => ready(p));
/** As if its machine had failed: no grace period, and the API server forgets the pod at once. */
export const kill = (namespace: string, pod: string): Promise<string> =>
  k("-n", namespace, "delete", "pod", pod, "--grace-period=0", "--force", "--wait=false");

/** The pod has been replaced (another uid) and is ready. */
export const replaced = (namespace: string, pod: string, uid: string, seconds: number): Promise<number> =>
  until(`${pod} replaced`, seconds, async () => {
    const p = await get("pod", "-n", namespace, pod);
    return p.metadata.uid !== uid && ready(p)
      ? undefined
      : p.metadata.uid === uid
        ? "still the old one"
        : `phase ${p.status.phase}`;
  });

/** The node that answers for the announced address now, by the MAC address that this machine has learnt. */
export async function holder(address: string): Promise<string> {
  const mac = /lladdr (\S+)/.exec(await run("ip", ["neigh", "show", address]))?.[1];
  for (const n of numbers())
    if (mac && (await run("ip", ["-n", `lab-n${n}`, "link", "show", "eth0"])).includes(mac)) return `node${n}`;
  throw new Error(`no node holds ${address}`);
}

/** The command line of a process; empty if it has ended. */
export const commandOf = (pid: number): string => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0/g, " ");
  } catch {
    return "";
  }
};

/** All descendants of this process: read at once, before any of them ends. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const d of fs.readdirSync("/proc").filter((x) => /^\d+$/.test(x))) {
    try {
      const parent = Number(
        fs
          .readFileSync(`/proc/${d}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")[1],
      );
      children.set(parent, [...(children.get(parent) ?? []), Number(d)]);
    } catch {
      /* it has ended */
    }
  }
  const all: number[] = [];
  for (let at = children.get(pid) ?? []; at.length; at = at.flatMap((p) => children.get(p) ?? [])) all.push(...at);
  return all;
}
/** Every process of a node, including its pods': all descendants of the process that created it. */
const processes = (node: string): number[] =>
  descendants(Number(fs.readFileSync(path.join(RUN_DIR, node, "pid"), "utf8").split(" ")[0]));
function signal(node: string, name: "SIGSTOP" | "SIGCONT"): number {
  let count = 0;
  for (const p of processes(node))
    try {
      process.kill(p, name);
      count++;
    } catch {
      /* it has ended */
    }
  return count;
}
/** Twice: processes that were started while the list was read are stopped the second time. */
export const freeze = (node: string): number => {
  signal(node, "SIGSTOP");
  return signal(node, "SIGSTOP");
};
export const thaw = (node: string): number => signal(node, "SIGCONT");
export const cable = (node: string, state: "up" | "down"): Promise<string> =>
  run("ip", ["-n", "lab-sw", "link", "set", `p-n${node.slice(4)}`, state]);

/**
 * Processes of a pod's containers, by the pod's uid and their command lines: the name of every container's control
 * group contains the uid.
 */
export function podProcesses(uid: string, command: RegExp): number[] {
  const found: number[] = [];
  const marks = [uid, uid.replace(/-/g, "_")];
  for (const d of fs.readdirSync("/proc").filter((x) => /^\d+$/.test(x))) {
    try {
      const group = fs.readFileSync(`/proc/${d}/cgroup`, "utf8");
      if (marks.some((m) => group.includes(m)) && command.test(commandOf(Number(d)))) found.push(Number(d));
    } catch {
      /* it has ended */
    }
  }
  return found;
}

/** The node's end of a pod's network interface: namespace and name. */
async function podPort(uid: string): Promise<[netns: string, link: string]> {
  const pid = podProcesses(uid, /./)[0];
  if (!pid) throw new Error(`no process of pod ${uid}`);
  const [eth] = JSON.parse(await run("nsenter", ["-t", String(pid), "-n", "ip", "-j", "link", "show", "eth0"]));
  for (const n of numbers()) {
    for (const l of JSON.parse(await run("ip", ["-n", `lab-n${n}`, "-j", "-d", "link", "show", "type", "veth"]))) {
      if (l.ifindex !== eth.link_index) continue;
      const [there] = JSON.parse(await run("nsenter", ["-t", String(pid), "-n", "ip", "-j", "addr", "show", "eth0"]));
      const address = there.addr_info.find((x: any) => x.family === "inet").local;
      if (address.startsWith(`10.244.${n}.`)) return [`lab-n${n}`, l.ifname];
    }
  }
  throw new Error(`the network interface of pod ${uid} was not found`);
}
const isolated = new Map<string, [string, string]>();
/** Cuts the pod from the network; the kubelet still runs commands in it. */
export async function isolate(uid: string): Promise<void> {
  const port = await podPort(uid);
  isolated.set(uid, port);
  await run("ip", ["-n", port[0], "link", "set", port[1], "down"]);
}
export async function join(uid: string): Promise<void> {
  const port = isolated.get(uid);
  if (port) await run("ip", ["-n", port[0], "link", "set", port[1], "up"]);
}

export const ssh = (node: string, command: string): Promise<string> =>
  run("ssh", [
    "-i",
    path.join(RUN_DIR, "pki", "id"),
    "-o",
    `UserKnownHostsFile=${path.join(RUN_DIR, "pki", "known_hosts")}`,
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=5",
    "-o",
    "LogLevel=ERROR",
    `root@10.77.0.1${node.slice(4)}`,
    command,
  ]);
/** In its own file system, on the disk that the stack prepared for local volumes. */
export const FILLER = "/var/lib/matrix-ha/local/filled-by-test";

/**
 * Afterwards no node is frozen, cut off, cordoned or full, and no pod is cut off, however a scenario or this process
 * ended. Needs no record of what was done.
 */
export async function mend(): Promise<void> {
  const quietly = async (p: Promise<unknown>): Promise<void> => {
    await p.catch((error: Error) => console.error(`mending: ${error.message}`));
  };
  for (const n of numbers().map((x) => `node${x}`)) {
    thaw(n);
    await quietly(cable(n, "up"));
    await quietly(
      (async () => {
        const ns = `lab-n${n.slice(4)}`;
        for (const l of JSON.parse(await run("ip", ["-n", ns, "-j", "link", "show", "type", "veth"])))
          if (!l.flags.includes("UP")) await run("ip", ["-n", ns, "link", "set", l.ifname, "up"]);
      })(),
    );
    await quietly(ssh(n, `rm -f ${FILLER}`));
    await quietly(k("uncordon", n));
  }
}
