import { strict as assert } from "node:assert";
import { componentOf, LAYERS, mainContainer, merged, onePod, podsOf } from "../../lab/local/select";
import { helperProfile } from "../../lab/local/shell";
import { statusText, whyNotReady, type Facts } from "../../lab/local/status";
import { failures, listed, scenarioNamed, withoutLoad } from "../../lab/scenarios/chaos";
import { quoted } from "../../lab/local/nodes";

const RUNNING = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const pod = (
  namespace: string,
  name: string,
  labels: Record<string, string> = {},
  { status = RUNNING, spec = {} }: { status?: any; spec?: any } = {},
): any => ({
  metadata: { namespace, name, labels },
  status,
  spec: { nodeName: "node1", containers: [{ name: "c", image: "i" }], ...spec },
});
const component = (c: string): Record<string, string> => ({ "app.kubernetes.io/component": c });
const PODS = [
  pod("matrix", "synapse-main-0", component("synapse-main")),
  pod("matrix", "synapse-generic-a", component("synapse-generic")),
  pod("matrix", "synapse-generic-b", component("synapse-generic")),
  pod("matrix", "synapse-postgres-1", component("synapse-postgres")),
  pod("matrix", "synapse-postgres-pooler-rw-x", component("pooler")),
  pod("matrix", "synapse-admin-x", component("synapse-admin")),
  pod("matrix", "redis-synapse-0", component("redis-synapse")),
  pod("livekit", "redis-livekit-0", component("redis-livekit")),
  pod("livekit", "livekit-x", component("livekit")),
  pod("projectcontour", "envoy-x", { app: "envoy" }),
  pod("kube-system", "coredns-x", { "k8s-app": "kube-dns" }),
];
const names = (word: string): string[] => podsOf(PODS, word).map((p) => p.metadata.name);

describe("npm run local: the pods that a word means", () => {
  it("finds layers, components and pods", () => {
    assert.deepEqual(names("synapse"), ["synapse-main-0", "synapse-generic-a", "synapse-generic-b"]);
    assert.deepEqual(names("postgres"), ["synapse-postgres-1", "synapse-postgres-pooler-rw-x"]);
    assert.deepEqual(names("redis"), ["redis-synapse-0", "redis-livekit-0"]);
    assert.deepEqual(names("rtc"), ["livekit-x"]);
    assert.deepEqual(names("ingress"), ["envoy-x"]);
    assert.deepEqual(names("synapse-generic"), ["synapse-generic-a", "synapse-generic-b"]);
    assert.deepEqual(names("generic"), ["synapse-generic-a", "synapse-generic-b"]);
    assert.deepEqual(names("envoy"), ["envoy-x"]);
    assert.deepEqual(names("matrix/synapse-main-0"), ["synapse-main-0"]);
    assert.equal(componentOf(PODS[10]), "kube-dns");
  });
  it("answers an unknown word with the known ones", () => {
    assert.throws(
      () => podsOf(PODS, "frob"),
      (e: Error) =>
        /called "frob"/.test(e.message) &&
        /layers +cluster, postgres, redis, synapse, rtc, web, ingress/.test(e.message) &&
        /components .*synapse-generic/.test(e.message),
    );
    assert.throws(() => podsOf(PODS, "monitoring"), /monitoring.enabled is false/);
    assert.throws(() => podsOf(PODS, "constructor"), /called "constructor"/);
  });
  it("gives a shell a running pod, ready ones first", () => {
    const starting = pod("m", "a", {}, { status: { phase: "Running", conditions: [] } }),
      fine = pod("m", "b"),
      pending = pod("m", "c", {}, { status: { phase: "Pending" } });
    assert.equal(onePod([pending, starting, fine]).metadata.name, "b");
    assert.throws(() => onePod([pending]), /c is Pending/);
  });
  it("takes the container that kubectl would take", () => {
    const p = pod("m", "a", {}, { spec: { containers: [{ name: "first" }, { name: "second" }] } });
    assert.equal(mainContainer(p).name, "first");
    p.metadata.annotations = { "kubectl.kubernetes.io/default-container": "second" };
    assert.equal(mainContainer(p).name, "second");
  });
  it("has a layer for every one that the stack builds with pods", () => {
    for (const layer of [
      "cluster",
      "postgres",
      "redis",
      "objectstore",
      "synapse",
      "router",
      "web",
      "turn",
      "rtc",
      "ingress",
      "monitoring",
    ])
      assert.ok(LAYERS[layer], layer);
  });
});

describe("npm run local: logs, shell, status, chaos", () => {
  it("merges logs by time, and keeps a line without a time behind its own", () => {
    assert.deepEqual(
      merged([
        { source: "a", text: "2026-01-01T10:00:01.5Z one\nTraceback\n2026-01-01T10:00:03Z three\n" },
        { source: "b", text: "2026-01-01T10:00:02.123456789Z two\n" },
      ]),
      ["10:00:01.500 a one", "             a Traceback", "10:00:02.123 b two", "10:00:03.000 a three"],
    );
  });
  it("runs a helper as the container's own user, or as Pod Security would have it", () => {
    const p = pod("m", "a", {}, { spec: { securityContext: { runAsUser: 1991, runAsGroup: 7 } } });
    const { securityContext } = helperProfile(p, { name: "c" });
    assert.deepEqual(
      [
        securityContext.runAsUser,
        securityContext.runAsGroup,
        securityContext.runAsNonRoot,
        securityContext.allowPrivilegeEscalation,
      ],
      [1991, 7, true, false],
    );
    assert.equal(helperProfile(p, { name: "c", securityContext: { runAsUser: 5 } }).securityContext.runAsUser, 5);
  });
  it("passes words to a node's shell unchanged", () => {
    assert.equal(quoted("/etc/hosts"), "/etc/hosts");
    assert.equal(quoted("it's $HOME"), "'it'\\''s $HOME'");
  });
  it("says why a pod is not ready", () => {
    assert.match(
      whyNotReady(
        pod(
          "m",
          "a",
          {},
          {
            status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes" }] },
          },
        ),
      ),
      /not scheduled: 0\/3 nodes/,
    );
    assert.match(
      whyNotReady(
        pod(
          "m",
          "a",
          {},
          {
            status: {
              phase: "Running",
              containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff" } } }],
            },
          },
        ),
      ),
      /c: CrashLoopBackOff/,
    );
    assert.match(
      whyNotReady(
        pod(
          "m",
          "a",
          {},
          { status: { phase: "Running", containerStatuses: [{ name: "c", ready: false, state: { running: {} } }] } },
        ),
      ),
      /c runs and is not ready/,
    );
  });
  it("shows what an operator needs first", () => {
    const facts: Facts = {
      nodes: [
        {
          metadata: { name: "node1" },
          spec: { unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] },
          status: {
            conditions: [{ type: "Ready", status: "False" }],
            addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
            nodeInfo: { kubeletVersion: "v1" },
          },
        },
      ],
      pods: [...PODS, pod("matrix", "bad", {}, { status: { phase: "Pending" } })],
      postgres: [
        {
          spec: { instances: 3 },
          status: {
            currentPrimary: "synapse-postgres-1",
            readyInstances: 2,
            phase: "Failing over",
            lastSuccessfulBackup: "2026-01-01T10:00:00Z",
            conditions: [{ type: "ContinuousArchiving", status: "False", message: "no space" }],
          },
        },
      ],
      l2: [{ status: { serviceNamespace: "projectcontour", serviceName: "envoy", node: "node3" } }],
      ingress: [{ status: { loadBalancer: { ingress: [{ ip: "10.0.0.200" }] } } }],
      redis: { "redis-synapse": "master redis-synapse-0 on node1, 2 replicas" },
      hostnames: { homeserver: "matrix.x", web: "chat.x", admin: "admin.x" },
      now: Date.parse("2026-01-01T10:30:00Z"),
    };
    const text = statusText(facts).join("\n");
    for (const part of [
      /node1 +NOT READY  cordoned/,
      /11 of 12 ready/,
      /not ready +matrix\/bad/,
      /primary synapse-postgres-1 on node1, 2 of 3 ready; Failing over/,
      /30 min ago; WAL archiving FAILS: no space/,
      /redis-synapse: master redis-synapse-0/,
      /announced by node3/,
      /https:\/\/matrix\.x\/ +\(at 10\.0\.0\.200\)/,
    ])
      assert.match(text, part);
    assert.doesNotMatch(text, /taints/);
  });
  it("knows failures by id, and nothing else", () => {
    const all: any[] = [
      { id: "a", group: "failure", title: "A", how: "by hand" },
      { id: "b", group: "change", title: "B", how: "" },
    ];
    assert.deepEqual(
      failures(all).map((s) => s.id),
      ["a"],
    );
    assert.throws(() => scenarioNamed(failures(all), "b"), /no failure is called "b"; there are\n +a +A: by hand/);
    assert.match(listed(failures(all)), /a +A: by hand/);
  });
  it("names the property of the load that a failure uses", () => {
    assert.equal((withoutLoad() as any).flowing(4), true);
    assert.throws(() => (withoutLoad() as any).finish(1), /finish .*npm run test:cluster/);
  });
});
