/**
 * The live cluster's pods, nodes and policies, and connections made for real from inside of their network namespaces.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../../lab/local/access";
import type { Ends } from "../../security/stack";

export { sleep };

export interface Live extends Ends {
  /** File of its network namespace, seen from this machine. */ net: string;
  tcp: number[];
  hostNetwork: boolean;
  raw?: any;
}

export const list = (...args: string[]): any[] => JSON.parse(kubectl("get", ...args, "-o", "json")).items;
const ready = (p: any): boolean =>
  !p.metadata.deletionTimestamp &&
  p.status.phase === "Running" &&
  p.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True");

/**
 * By uid of the pod, the first process of one of its containers (a probe's is gone before it is used): the nodes'
 * processes are this machine's, and their control groups are named by pod.
 */
export function processes(): Map<string, number> {
  const found = new Map<string, number>();
  for (const d of fs.readdirSync("/proc").filter((x) => /^\d+$/.test(x))) {
    try {
      const uid = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})/
        .exec(fs.readFileSync(`/proc/${d}/cgroup`, "utf8"))?.[1]
        ?.replace(/_/g, "-");
      if (uid && !found.has(uid) && /^NSpid:.*\t1$/m.test(fs.readFileSync(`/proc/${d}/status`, "utf8")))
        found.set(uid, Number(d));
    } catch {
      /* it has ended */
    }
  }
  return found;
}

export interface Cluster {
  pods: Live[];
  nodes: Live[];
  apiServer: Live;
  machine: Live;
  policies: any[];
  namespaces: Record<string, Record<string, string>>;
}

/** Ready pods; those on the hosts' network are listed separately, because they count as their nodes. */
export function cluster(): Cluster {
  const policies = list("networkpolicies", "-A"),
    guarded = new Set(policies.map((p) => p.metadata.namespace)),
    pids = processes();
  const pods = list("pods", "-A")
    .filter(ready)
    .flatMap((p): Live[] => {
      const pid = pids.get(p.metadata.uid);
      if (!pid) return [];
      const { namespace, name } = p.metadata,
        hostNetwork = p.spec.hostNetwork === true;
      const tcp = p.spec.containers
        .flatMap((c: any) => c.ports ?? [])
        .filter((x: any) => (x.protocol ?? "TCP") === "TCP")
        .map((x: any) => x.containerPort as number);
      return [
        {
          kind: guarded.has(namespace) ? "pod" : "foreign",
          name: `${namespace}/${name}`,
          address: p.status.podIP,
          pod: { namespace, labels: p.metadata.labels ?? {}, node: p.spec.nodeName },
          net: `/proc/${pid}/ns/net`,
          tcp,
          hostNetwork,
          raw: p,
        },
      ];
    });
  const nodes = list("nodes").map((n, i): Live => ({
    kind: "node",
    host: true,
    name: n.metadata.name,
    node: n.metadata.name,
    address: n.status.addresses.find((a: any) => a.type === "InternalIP").address,
    net: `/run/netns/lab-n${i + 1}`,
    tcp: [],
    hostNetwork: false,
  }));
  return {
    pods,
    nodes,
    policies,
    apiServer: {
      kind: "apiServer",
      name: "the API server",
      address: "10.77.0.10",
      net: "/run/netns/lab-cp",
      tcp: [6443],
      hostNetwork: false,
    },
    machine: {
      kind: "world",
      name: "outside of the cluster",
      address: "10.77.0.1",
      net: "/proc/self/ns/net",
      tcp: [],
      hostNetwork: false,
    },
    namespaces: Object.fromEntries(list("namespaces").map((n) => [n.metadata.name, n.metadata.labels ?? {}])),
  };
}

export type Answer = "open" | "refused" | "timeout" | string;
export interface Ask {
  net: string;
  to: Array<[string, number]>;
}
export interface Listen {
  net: string;
  address: string;
  port: number;
}

/** Listens first, then connects from each namespace; an answer for each address and port. */
export function connect(ask: Ask[], listen: Listen[] = [], timeout = 4): Answer[][] {
  const done = spawnSync("python3", [path.join(__dirname, "connect.py")], {
    input: JSON.stringify({ ask, listen, timeout }),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0) throw new Error(`connect.py: ${done.stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(done.stdout);
}

/** Of lab/cluster/netpol.sh. */
const SILENCE = "matrix-ha-lab";
/**
 * How many ICMP messages a network sends, with Linux's own values: one a second to one receiver (ratelimit, in ms), 50
 * at once, 1000 a second. Newer kernels have all of them per network (6.18 does), older ones the last two for the whole
 * machine.
 */
const LIMITS = {
  own: { icmp_ratelimit: 1000, icmp_msgs_burst: 50, icmp_msgs_per_sec: 1000 },
  lifted: { icmp_ratelimit: 0, icmp_msgs_burst: 100_000, icmp_msgs_per_sec: 100_000 },
};
/**
 * A refusal is an ICMP message: thousands of probes would run into the limits. Lifts them in the nodes' networks,
 * and lets the refusals out that the nodes swallow (lab/cluster/netpol.sh): silence costs seconds for each. What it
 * returns puts both back.
 */
export function quickRefusals(): () => void {
  const nets = fs
    .readdirSync("/run/netns")
    .filter((n) => /^lab-n\d$/.test(n))
    .map((n) => `/run/netns/${n}`);
  assert.ok(
    nets.length,
    "these tests need the lab's own nodes (npm run local without --cluster), whose networks this machine can enter",
  );
  const limit = (net: string, to: keyof typeof LIMITS): void => {
    const lines = Object.entries(LIMITS[to]).map(
      ([name, value]) => `[ ! -e /proc/sys/net/ipv4/${name} ] || echo ${value} > /proc/sys/net/ipv4/${name}`,
    );
    assert.equal(spawnSync("nsenter", [`--net=${net}`, "sh", "-c", lines.join("; ")]).status, 0, `limits of ${net}`);
  };
  const nft = (net: string, args: string[], input?: string): string =>
    spawnSync("nsenter", [`--net=${net}`, "nft", ...args], { encoding: "utf8", input }).stdout;
  const silence = nets.map((net) => nft(net, ["list", "table", "ip", SILENCE]));
  nets.forEach((net, i) => {
    limit(net, "lifted");
    if (silence[i]) nft(net, ["delete", "table", "ip", SILENCE]);
  });
  return () =>
    nets.forEach((net, i) => {
      limit(net, "own");
      if (silence[i]) nft(net, ["-f", "-"], silence[i]);
    });
}

/** Are these open, asked from the pod's own node, which no policy may close? */
export function reallyOpen(c: Cluster, pods: Live[], ports: (p: Live) => number[]): Map<Live, number[]> {
  const jobs = pods
    .map((p) => ({ p, ports: [...new Set(ports(p))], node: c.nodes.find((n) => n.name === p.pod!.node)! }))
    .filter((j) => j.ports.length && j.node);
  const answers = connect(
    jobs.map((j) => ({ net: j.node.net, to: j.ports.map((port): [string, number] => [j.p.address, port]) })),
  );
  return new Map(jobs.map((j, i) => [j.p, j.ports.filter((_, k) => answers[i]![k] === "open")]));
}
