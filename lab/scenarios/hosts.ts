/**
 * Machines are added, Redis grows from three instances to five on them, and all of it is taken back: docs/operate.md,
 * "Add or replace a host". The machines' own software (Debian, Kubernetes, the images) is installed before the
 * load starts.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { RUN_DIR } from "../common/folders";
import { change } from "./changes";
import { until } from "../common/until";
import { get, k, NS, run } from "./cluster";
import { component, since, type Run, type Scenario } from "./scenario";

const ADDED = ["4", "5"];
const SETS = ["redis-synapse", "redis-livekit"].map((name, i) => ({ name, namespace: [NS, "livekit"][i]! }));
const more = (what: "join" | "leave"): Promise<string> =>
  run(path.resolve(__dirname, "../cluster/more.sh"), [what, ...ADDED]);

/** The new machines as entries of `hosts`. */
const hosts = (): string[] =>
  ADDED.map((n, i) => {
    const hostKey = fs.readFileSync(path.join(RUN_DIR, "pki", `node${n}_host.pub`), "utf8").trim();
    return `hosts[${3 + i}]=${JSON.stringify({ name: `node${n}`, address: `10.77.0.1${n}`, hostKey, roles: ["application"], cpu: 2, memoryGiB: 8, disks: [{ id: `/dev/disk/by-id/lab-nvme-node${n}`, use: "local", sizeGiB: 10 }] })}`;
  });

/**
 * Every instance has its own machine, and every Sentinel knows all the others (it queries its master for them every
 * 10 s).
 */
async function counted(r: Run, instances: number): Promise<void> {
  for (const { name, namespace } of SETS) {
    await until(`${name} with ${instances} instances`, 60, async () => {
      const pods = (await get("pods", "-n", namespace, "-l", component(name))).items;
      const nodes = new Set(pods.map((p: any) => p.spec.nodeName));
      if (pods.length !== instances || nodes.size !== instances) return `${pods.length} pods on ${nodes.size} machines`;
      for (const p of pods) {
        const said = await k(
          "-n",
          namespace,
          "exec",
          p.metadata.name,
          "-c",
          "sentinel",
          "--",
          "redis-cli",
          "-p",
          "26379",
          "sentinel",
          "masters",
        );
        for (const key of ["num-other-sentinels", "num-slaves"]) {
          const count = new RegExp(`^${key}\\n(\\d+)`, "m").exec(said)?.[1];
          if (count !== `${instances - 1}`) return `${p.metadata.name}: ${key} ${count}`;
        }
      }
      r.note(
        `${name}: ${instances} instances on ${[...nodes].sort().join(", ")}; each Sentinel counts ${instances - 1} others and ${instances - 1} replicas`,
      );
      return undefined;
    });
  }
}

/**
 * Redis, the pods whose configuration names its instances, the pods on every machine, and the admin UI, which never
 * takes the address of a machine for a client's.
 */
const CONSUMERS = /^(redis-(synapse|livekit)(-master)?|livekit|coturn|node-exporter|speaker|envoy|synapse-admin)$/;

export const HOSTS: Scenario[] = [
  {
    id: "redis-grows",
    group: "change",
    title: "Two machines are added, and Redis grows from 3 to 5 instances on them",
    takenBackBy: "redis-shrinks",
    seconds: 230,
    bounds: { gap: 60, failedAfterRetry: 0 },
    how: "`hosts` longer by two and overrides.redis.instances=5, one deployment: it prepares the machines over SSH first; pods, their machines and what each Sentinel counts compared",
    prepare: async (note) => {
      const started = Date.now();
      await more("join");
      note(`two bare machines joined Kubernetes in ${since(started)}, before the load`);
    },
    action: async (r) => {
      r.cause();
      await change(r, [...hosts(), "overrides.redis.instances=5"], CONSUMERS);
      await counted(r, 5);
    },
  },
  {
    id: "redis-shrinks",
    group: "change",
    title: "Redis shrinks to 3 instances, and the two machines are taken out",
    seconds: 220,
    bounds: { gap: 60, failedAfterRetry: 0 },
    how: "deployed without the setting; claims of the pods that are gone deleted, the machines drained, removed from `hosts` by a second deployment, and from Kubernetes",
    action: async (r) => {
      r.cause();
      await change(r, hosts(), CONSUMERS);
      await counted(r, 3);
      for (const { name, namespace } of SETS)
        for (const i of [3, 4]) await k("-n", namespace, "delete", "pvc", `data-${name}-${i}`, "--wait=false");
      for (const n of ADDED)
        await k("drain", `node${n}`, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s");
      // A drain moves any pod that ran there.
      await change(r, [], /./);
      await more("leave");
    },
  },
];
