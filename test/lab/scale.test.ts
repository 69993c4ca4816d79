/** What `npm run test:scale` makes of the API server's answers, without one. */
import assert from "node:assert/strict";
import { plan } from "../../components/plan";
import { allocatable } from "../../components/sizing/hostsFit";
import { DAEMONS } from "../../components/sizing/demands";
import { readArguments, SIZES } from "../../lab/scale/arguments";
import { keeping } from "../../lab/scale/growth";
import { fullest, zones, type Outcome } from "../../lab/scale/losses";
import { Least, needsOf, restarted } from "../../lab/scale/needs";
import { nodeOf } from "../../lab/scale/nodes";
import { faultsIn, scalePage } from "../../lab/scale/page";
import {
  instanceBudgets,
  instanceNames,
  instancePod,
  localVolume,
  monitoringSet,
  type KubeObject,
} from "../../lab/scale/played";
import { standing } from "../../lab/scale/serving";
import { settingsOf, sizeConfig, type SizeResult } from "../../lab/scale/size";
import { blocking, misplaced, tiedTo, together, unsettled, type Snapshot } from "../../lab/scale/snapshot";

const ZONE = "topology.kubernetes.io/zone";
const node = (name: string, role: string, zone: string): KubeObject => ({
  metadata: { name, labels: { [`matrix-ha.dev/role-${role}`]: "true", [ZONE]: zone } },
  spec: {},
});
const READY = { conditions: [{ type: "Ready", status: "True" }] };

interface Made {
  on?: string;
  namespace?: string;
  kind?: string;
  component?: string;
  labels?: Record<string, string>;
  claim?: string;
  uid?: string;
  status?: object;
}
/** A ready pod of a workload. */
const pod = (owner: string, index: number, made: Made = {}): KubeObject => {
  const { on = "app-1", namespace = "matrix", kind = "StatefulSet", component = owner, claim } = made;
  return {
    metadata: {
      name: `${owner}-${index}`,
      namespace,
      uid: made.uid ?? `${owner}-${index}`,
      labels: { "app.kubernetes.io/component": component, ...made.labels },
      ownerReferences: [{ kind, name: kind === "ReplicaSet" ? `${owner}-5f9d` : owner, uid: owner, controller: true }],
    },
    spec: {
      nodeName: on,
      ...(claim ? { volumes: [{ persistentVolumeClaim: { claimName: claim } }] } : {}),
    },
    status: made.status ?? READY,
  };
};
const workload = (kind: string, name: string, replicas: number, more: object = {}): KubeObject => ({
  kind,
  metadata: { name, namespace: "matrix", generation: 1 },
  spec: { replicas, ...more },
  status: { observedGeneration: 1, desiredNumberScheduled: replicas },
});
const moment = (given: Partial<Snapshot>): Snapshot => ({
  nodes: [node("app-1", "application", "a"), node("app-2", "application", "b"), node("db-1", "database", "a")],
  pods: [],
  workloads: [],
  autoscalers: [],
  budgets: [],
  claims: [],
  volumes: [],
  databases: [],
  ...given,
});

describe("test:scale: arguments", () => {
  it("without any: every size, losses and growth", () => {
    const r = readArguments([]);
    assert.deepEqual([r.sizes, r.each, r.losses, r.growth], [[...SIZES], true, true, [1_000, 20_000]]);
  });
  it("sizes are picked, and the stack grows between them", () => {
    const r = readArguments(["1000", "100"]);
    assert.deepEqual(
      [r.sizes, r.growth],
      [
        [1000, 100],
        [100, 1000],
      ],
    );
    assert.equal(readArguments(["100"]).growth, undefined, "one size does not grow");
    assert.equal(readArguments(["100", "1000", "--losses"]).growth, undefined);
    assert.equal(readArguments(["100", "1000", "--apply"]).growth, undefined);
    assert.equal(readArguments(["100", "1000", "--growth"]).each, false);
  });
  for (const [words, why] of [
    [["many"], /"many" is no size.*from 1 to 200000/],
    [["0"], /no size/],
    [["--losses", "--growth"], /exclude each other/],
    [["--apply", "--growth"], /only the engine/],
    [["100", "--growth"], /needs two sizes/],
  ] as const)
    it(`refuses ${words.join(" ")}`, () => assert.throws(() => readArguments(words), why));
});

describe("test:scale: nodes of the plan", () => {
  it("a node offers the pods what the plan counts on, and the same to a MiB", () => {
    const settings = settingsOf(sizeConfig(1000));
    for (const host of settings.hosts.filter((h) => !h.roles.includes("control-plane"))) {
      const { cpu, memory } = nodeOf(settings, host).status.allocatable;
      const planned = allocatable(host);
      const offered = { cpu: parseFloat(cpu!) / 1000, memoryMiB: parseFloat(memory!) };
      assert.ok(Math.abs(offered.cpu - planned.cpu - DAEMONS.cpu) < 0.002, `${host.name}: ${cpu}`);
      assert.ok(Math.abs(offered.memoryMiB - planned.memoryMiB - DAEMONS.memoryMiB) <= 1, `${host.name}: ${memory}`);
    }
  });
  it("only a host that is nothing but a control plane is tainted; the stack's own labels are left to `up`", () => {
    const settings = settingsOf(sizeConfig(100));
    const nodes = settings.hosts.map((h) => nodeOf(settings, h));
    assert.deepEqual(
      nodes.filter((n) => n.spec.taints).map((n) => n.metadata.name),
      settings.hosts.filter((h) => h.roles[0] === "control-plane").map((h) => h.name),
    );
    assert.ok(nodes.every((n) => !Object.keys(n.metadata.labels).some((l) => l.startsWith("matrix-ha.dev"))));
  });
});

describe("test:scale: where pods are", () => {
  it("a pod on a host of another role is misplaced; one that runs everywhere is not", () => {
    const wrong = pod("synapse-main", 0, { on: "db-1" });
    const instance = pod("synapse-postgres", 1, {
      kind: "Cluster",
      on: "app-1",
      labels: { "cnpg.io/podRole": "instance" },
    });
    const speaker = pod("speaker", 0, {
      on: "db-1",
      namespace: "metallb-system",
      component: "metallb-speaker",
      kind: "DaemonSet",
    });
    assert.deepEqual(misplaced(moment({ pods: [wrong, instance, speaker, pod("haproxy", 0)] })), [
      "matrix/synapse-main-0 is on db-1, which is no application host",
      "matrix/synapse-postgres-1 is on app-1, which is no database host",
    ]);
  });
  it("all pods of a workload on one host, or in one zone, are seen", () => {
    const nodes = [
      node("app-1", "application", "a"),
      node("app-2", "application", "a"),
      node("app-3", "application", "b"),
    ];
    const at = (on: string[]): string[] =>
      together(moment({ nodes, pods: on.map((host, i) => pod("haproxy", i, { on: host, kind: "ReplicaSet" })) }));
    assert.deepEqual(at(["app-1", "app-1"]), ["all 2 pods of Deployment matrix/haproxy are on app-1"]);
    assert.deepEqual(at(["app-1", "app-2"]), ["all 2 pods of Deployment matrix/haproxy are in zone a"]);
    assert.deepEqual([at(["app-1", "app-3"]), at(["app-1"])], [[], []]);
  });
  it("a budget that allows no eviction is in the way of a drain, but for the primary's", () => {
    const budget = (name: string, allowed: number): KubeObject => ({
      metadata: { name, namespace: "matrix" },
      status: { expectedPods: 2, currentHealthy: 2, desiredHealthy: 2 - allowed, disruptionsAllowed: allowed },
    });
    const budgets = [budget("haproxy", 0), budget("minio", 1), budget("synapse-postgres-primary", 0)];
    assert.deepEqual(blocking(moment({ budgets })), [
      "the budget matrix/haproxy allows no eviction (2 of 2 healthy, 2 wanted)",
    ]);
  });
  it("the fullest host of each role, and the hosts of each zone", () => {
    const now = moment({ pods: [pod("a", 0, { on: "app-2" }), pod("b", 0, { on: "app-2" }), pod("c", 0)] });
    assert.deepEqual(fullest(now), [
      { role: "application", host: "app-2" },
      { role: "database", host: "db-1" },
    ]);
    assert.deepEqual(zones(now), [
      { zone: "a", hosts: ["app-1", "db-1"] },
      { zone: "b", hosts: ["app-2"] },
    ]);
  });
});

describe("test:scale: whether everything runs", () => {
  const sets = [workload("StatefulSet", "redis-synapse", 2)];
  const claims = [{ metadata: { name: "data-0", namespace: "matrix" }, spec: { volumeName: "v0" } }];
  const volumes = [localVolume({ metadata: { name: "data-0", uid: "0" }, spec: { resources: {} } }, "app-1")].map(
    (v) => ({
      ...v,
      metadata: { name: "v0" },
    }),
  );
  const waiting = pod("redis-synapse", 0, {
    claim: "data-0",
    status: { conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }] },
  });

  it("a workload without its pods, and a pod without a host, with the scheduler's reason", () => {
    assert.deepEqual(unsettled(moment({ workloads: sets, pods: [waiting] })), [
      "StatefulSet matrix/redis-synapse has 1 of 2 pods",
      "matrix/redis-synapse-0: 0/3 nodes are available",
    ]);
  });
  it("a pod whose volume is on a lost host may wait, and no other", () => {
    const now = moment({ workloads: sets, claims, volumes, pods: [waiting, pod("redis-synapse", 1)] });
    assert.deepEqual([...tiedTo(now, new Set(["app-1"]))], ["matrix/redis-synapse-0"]);
    assert.deepEqual([...tiedTo(now, new Set(["app-2"]))], []);
    assert.deepEqual(unsettled(now, tiedTo(now, new Set(["app-1"]))), []);
    assert.equal(unsettled(now, tiedTo(now, new Set(["app-2"]))).length, 1);
  });
  it("an autoscaler below its minimum, and a database without an instance", () => {
    const autoscalers = [
      {
        metadata: { name: "generic", namespace: "matrix" },
        spec: { minReplicas: 3, scaleTargetRef: { name: "generic" } },
      },
    ];
    const databases = [{ metadata: { name: "synapse-postgres", namespace: "matrix" }, spec: { instances: 3 } }];
    const workloads = [workload("Deployment", "generic", 1)];
    const pods = [pod("generic", 0, { kind: "ReplicaSet" })];
    assert.deepEqual(unsettled(moment({ autoscalers, databases, workloads, pods })), [
      "matrix/generic has not reached its minimum of 3",
      "Cluster matrix/synapse-postgres has 0 of 3 pods",
    ]);
  });
});

describe("test:scale: what must still serve", () => {
  const p = plan(settingsOf(sizeConfig(1000)));
  const some = (owner: string, count: number, made: Made = {}): KubeObject[] =>
    Array.from({ length: count }, (_, i) => pod(owner, i, made));
  const all = (given: { postgres?: number; redis?: number; minio?: number }): KubeObject[] => [
    ...some("synapse-postgres", given.postgres ?? 3, { kind: "Cluster" }),
    ...some("redis-synapse", given.redis ?? 3),
    ...some("redis-livekit", 3, { namespace: "livekit" }),
    ...some("minio", given.minio ?? p.minio!.nodes, { namespace: "minio" }),
    ...some("coturn", 1, { namespace: "coturn", kind: "DaemonSet" }),
  ];
  const faults = (given: Parameters<typeof all>[0]): string =>
    standing(moment({ pods: all(given) }), p, new Set()).join();
  it("everything, with every pod and with those that may be lost", () => {
    assert.equal(faults({}), "");
    assert.equal(faults({ postgres: 2, redis: 2, minio: p.minio!.nodes - 2 }), "");
  });
  it("a majority of PostgreSQL and of the Sentinels, and MinIO's parity", () => {
    assert.match(faults({ postgres: 1 }), /PostgreSQL: 1 ready, 2 needed/);
    assert.match(faults({ redis: 1 }), /Sentinels of redis-synapse: 1 ready, 2 needed/);
    assert.match(
      faults({ minio: p.minio!.nodes - 3 }),
      /MinIO: pool 0 lost 6 drives of each set of 12, and may lose 4/,
    );
  });
  it("a workload of which no pod is ready, unless its volume is lost", () => {
    const workloads = [workload("StatefulSet", "grafana", 1)];
    const gone = pod("grafana", 0, { status: {} });
    const now = moment({ pods: [...all({}), gone], workloads });
    assert.deepEqual(standing(now, p, new Set()), ["StatefulSet matrix/grafana: none of 1 is ready"]);
    assert.deepEqual(standing(now, p, new Set(["matrix/grafana-0"])), []);
  });
});

describe("test:scale: growth", () => {
  it("what each workload needs: all but the one that its update takes down", () => {
    const rolling = (maxUnavailable: number | string): object => ({
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable } },
    });
    const workloads = [
      workload("Deployment", "haproxy", 2, rolling(0)),
      workload("Deployment", "well-known", 4, rolling("25%")),
      workload("Deployment", "once", 1, { strategy: { type: "Recreate" } }),
      workload("StatefulSet", "redis", 3, { updateStrategy: {} }),
      workload("StatefulSet", "main", 1, { updateStrategy: {} }),
    ];
    const databases = [{ metadata: { name: "db", namespace: "matrix" }, spec: { instances: 3 } }];
    assert.deepEqual([...needsOf(moment({ workloads, databases })).values()], [2, 3, 0, 2, 0, 2]);
  });
  it("fewer ready pods at any moment are found, whatever came later", () => {
    const needs = new Map([["StatefulSet matrix/redis", 2]]);
    const least = new Least();
    for (const ready of [3, 1, 3])
      least.see({ pods: Array.from({ length: ready }, (_, i) => pod("redis", i)) }, needs.keys());
    assert.deepEqual([least.below(needs), least.looks], [["StatefulSet matrix/redis: 1 ready, 2 needed"], 3]);
    assert.deepEqual(least.below(new Map([["StatefulSet matrix/redis", 1]])), []);
  });
  it("replaced pods are restarts; those that a smaller number no longer has are none", () => {
    const before = moment({ pods: [pod("redis", 0), pod("redis", 1), pod("media", 0), pod("media", 1)] });
    const after = moment({ pods: [pod("redis", 0), pod("redis", 1, { uid: "new" }), pod("media", 0)] });
    assert.deepEqual(restarted(before, after), [{ owner: "StatefulSet matrix/redis", pods: 1, of: 2 }]);
  });
  it("the way back sets what the refusal says, and is not refused then", () => {
    const small = sizeConfig(1000, 20_000);
    const kept = keeping(small, sizeConfig(20_000));
    assert.ok((kept.overrides as any).postgres.storageGiB > plan(settingsOf(small)).postgres.storageGiB);
    assert.deepEqual(keeping(kept, sizeConfig(20_000)), kept);
  });
});

describe("test:scale: operators, played", () => {
  const cluster: KubeObject = {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: { name: "db", namespace: "matrix", uid: "1" },
    spec: {
      instances: 3,
      imageName: "postgres",
      storage: { size: "10Gi", storageClass: "fast" },
      walStorage: { size: "1Gi", storageClass: "fast" },
      resources: { requests: { cpu: "2" } },
      affinity: { topologyKey: "kubernetes.io/hostname", nodeSelector: { db: "true" }, tolerations: [{ key: "db" }] },
      priorityClassName: "data",
    },
  };
  it("an instance keeps the Cluster's placement and requests, apart from the others, with both volumes", () => {
    const made = instancePod(cluster, "db-1", { primary: true, madeFrom: "x", sidecar: { requests: { cpu: "20m" } } });
    assert.deepEqual(
      [made.spec.nodeSelector, made.spec.tolerations, made.spec.priorityClassName],
      [{ db: "true" }, [{ key: "db" }], "data"],
    );
    assert.deepEqual(made.spec.containers[0].resources, { requests: { cpu: "2" } });
    assert.deepEqual(made.spec.initContainers[0].resources, { requests: { cpu: "20m" } });
    assert.equal(made.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.length, 1);
    assert.deepEqual(
      made.spec.volumes.map((v: any) => v.persistentVolumeClaim.claimName),
      ["db-1", "db-1-wal"],
    );
    assert.deepEqual(instanceNames(cluster), ["db-1", "db-2", "db-3"]);
  });
  it("its budgets are the operator's: the primary, and all standbys but one", () => {
    assert.deepEqual(
      instanceBudgets(cluster).map((b) => [b.metadata.name, b.spec.minAvailable]),
      [
        ["db-primary", 1],
        ["db", 1],
      ],
    );
  });
  it("a Prometheus becomes a StatefulSet whose labels the operator decides", () => {
    const owner: KubeObject = {
      kind: "Prometheus",
      metadata: { name: "main", namespace: "monitoring", uid: "1" },
      spec: {
        replicas: 2,
        podMetadata: { labels: { "app.kubernetes.io/name": "mine" } },
        storage: { volumeClaimTemplate: { spec: {} } },
      },
    };
    const made = monitoringSet(owner);
    assert.equal(made.metadata.name, "prometheus-main");
    assert.equal(made.spec.template.metadata.labels["app.kubernetes.io/name"], "prometheus");
    assert.deepEqual(made.spec.volumeClaimTemplates, [{ metadata: { name: "prometheus-main-db" }, spec: {} }]);
  });
});

describe("test:scale: the page", () => {
  const outcome: Outcome = { what: "lost: app-1 (application)", pods: 3, waiting: 1, seconds: 2, faults: ["a | b"] };
  const size: SizeResult = {
    by: "pulumi up",
    ccu: 1000,
    hosts: 21,
    objects: 500,
    pods: 130,
    seconds: { up: 61 },
    faults: [],
    losses: [outcome],
  };
  it("shows faults where they are, and counts them", () => {
    const text = scalePage({
      sizes: { 1000: { ...size, date: "today" } },
      versions: { KWOK: "v1" },
      machine: "2 cores",
    });
    assert.match(text, /\| 1,000 \| pulumi up \| 21 \| 500 \| 130 \| {2}\| {2}\| 61 \| {2}\| as planned \| today \|/);
    assert.match(text, /\| lost: app-1 \(application\) \| 3 \| 1 \| 2.0 \| {2}\| \*\*a \\\| b\*\* \|/);
    assert.deepEqual(faultsIn(size), ["lost: app-1 (application): a | b"]);
  });
});
