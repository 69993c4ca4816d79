import { strict as assert } from "node:assert";
import * as path from "node:path";
import { parse } from "yaml";
import { IMAGES } from "../../components/layers/registry";
import { resolveSettings } from "../../components/settings";
import { plan } from "../../components/plan";
import { readStackConfig } from "../../components/settings/stackFile";
import { parseRequest } from "../../lab/local/arguments";
import {
  podNetwork,
  foreignConfig,
  foreignProblems,
  memoryGiB,
  nextTarget,
  presentOperators,
  UNPUBLISHED,
  workingNodes,
} from "../../lab/local/foreign";
import { kindConfig, kindNeeds, rangeIn } from "../../lab/local/kind";
import { folderOf, serverOf, type Target } from "../../lab/local/target";

const FILE = readStackConfig("local", path.resolve(__dirname, "../.."));
const node = (name: string, address: string, taints: any[] = []): any => ({
  metadata: { name },
  spec: { taints, podCIDRs: ["10.244.1.0/24"] },
  status: { addresses: [{ type: "InternalIP", address }], capacity: { cpu: "8", memory: "16777216Ki" } },
});
const NODES = workingNodes(["172.18.0.3", "172.18.0.4", "172.18.0.5"].map((a, i) => node(`worker${i}`, a)));
const target = (more: Partial<Target> = {}): Target => ({
  cluster: "kind",
  server: "https://127.0.0.1:1",
  images: "published",
  addresses: "172.18.255.200-172.18.255.210",
  nodes: NODES,
  serviceCidrs: ["10.96.0.0/16"],
  apiServers: ["172.18.0.2"],
  present: ["localPathProvisioner"],
  sets: [],
  ...more,
});
function settingsOf(t: Target): any {
  const { settings, errors } = resolveSettings(foreignConfig(FILE, t), "local");
  assert.ok(settings, errors.map((e) => `${e.path}: ${e.given} ${e.remedy}`).join("\n"));
  plan(settings);
  return settings;
}

describe("npm run local on another cluster: settings", () => {
  it("are accepted, fit the nodes, and prepare no machine", () => {
    const s = settingsOf(target());
    assert.equal(s.prepareHosts, false);
    assert.deepEqual(
      s.hosts.map((h: any) => [h.name, h.address, h.disks.length]),
      NODES.map((n) => [n.name, n.address, 0]),
    );
    assert.deepEqual(s.networkPolicies.apiServerCidrs, ["172.18.0.2/32"]);
    assert.deepEqual(s.addressPools[0].addresses, ["172.18.255.200-172.18.255.210"]);
  });
  it("take published images, and the operators that only the lab leaves out", () => {
    const s = settingsOf(target());
    assert.deepEqual(s.images.overrides, {});
    assert.equal(s.cluster.ingressClass, "nginx");
    assert.deepEqual(
      [
        s.cluster.install.ingressController,
        s.cluster.install.certManager,
        s.cluster.install.barmanPlugin,
        s.cluster.install.localPathProvisioner,
      ],
      [true, true, true, false],
    );
  });
  it("take the three unpublished images from the registry", () => {
    const s = settingsOf(target({ cluster: "kubeconfig", registry: "r.example.com/m/" }));
    assert.deepEqual(s.images.overrides, {
      synapse: `r.example.com/m/synapse:${IMAGES.synapse.tag}`,
      minio: `r.example.com/m/minio:${IMAGES.minio.tag}`,
      mc: `r.example.com/m/mc:${IMAGES.mc.tag}`,
    });
  });
  it("say which images are unpublished, as the table does", () => {
    assert.deepEqual(
      Object.entries(IMAGES)
        .filter(([, i]) => i.repository.startsWith("localhost/"))
        .map(([k]) => k)
        .sort(),
      [...UNPUBLISHED].sort(),
    );
  });
  it("keep the lab's images and its ingress controller with --images local", () => {
    const s = settingsOf(target({ images: "local" }));
    assert.equal(s.cluster.ingressClass, "contour");
    assert.equal(s.cluster.install.ingressController, false);
    assert.equal(s.images.overrides.redis, (FILE as any).images.overrides.redis);
  });
  it("take another pod network from its parts on the nodes", () => {
    const s = settingsOf(target({ nodes: NODES.map((n, i) => ({ ...n, podCidrs: [`10.42.${i}.0/24`] })) }));
    assert.deepEqual(s.cluster.podCidrs, ["10.42.0.0/22"]);
    assert.deepEqual(podNetwork(["10.42.0.0/24", "10.42.255.0/24", "fd00:42::/64"]), "10.42.0.0/16");
    assert.deepEqual(podNetwork(["10.244.1.0/24", "10.244.2.0/24"]), "10.244.0.0/16");
  });
  it("leave tainted and cordoned nodes out", () => {
    const all = [
      node("cp", "1.1.1.1", [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }]),
      { ...node("x", "1.1.1.2"), spec: { unschedulable: true } },
      node("w", "1.1.1.3"),
    ];
    assert.deepEqual(
      workingNodes(all).map((n) => [n.name, n.cpu, n.memoryGiB]),
      [["w", 8, 16]],
    );
    assert.equal(memoryGiB("8Gi"), 8);
    assert.equal(memoryGiB("16G"), 16e9 / 2 ** 30);
  });
  it("install nothing that is already installed", () => {
    const crd = (name: string, labels = {}): any => ({ metadata: { name, labels } });
    assert.deepEqual(
      presentOperators({
        crds: [
          crd("ipaddresspools.metallb.io"),
          crd("clusters.postgresql.cnpg.io", { "app.kubernetes.io/part-of": "matrix-ha" }),
        ],
        apiServices: [crd("v1beta1.metrics.k8s.io")],
        storageClasses: [{ metadata: { name: "standard" }, provisioner: "rancher.io/local-path" }],
      }),
      ["metallb", "metricsServer", "localPathProvisioner"],
    );
  });
  it("refuse with a clear error what cannot work", () => {
    const problems = foreignProblems(
      target({ cluster: "kubeconfig", nodes: NODES.slice(0, 2), addresses: undefined }),
      FILE,
    ).join("\n");
    for (const part of [
      /2 nodes accept pods/,
      /--addresses RANGE is missing/,
      /the images synapse, minio, mc are not published/,
    ])
      assert.match(problems, part);
    assert.deepEqual(foreignProblems(target(), FILE), []);
    assert.deepEqual(
      foreignProblems(
        target({ cluster: "kubeconfig", sets: UNPUBLISHED.map((k) => `images.overrides.${k}=r.example.com/${k}:1`) }),
        FILE,
      ),
      [],
    );
  });
  it("remember the first run's choices, and replace a setting that is given again", () => {
    const found = {
      cluster: "kubeconfig" as const,
      server: "https://a:1",
      nodes: NODES,
      serviceCidrs: [],
      apiServers: [],
      present: ["metallb"],
    };
    const first = nextTarget(
      found,
      undefined,
      parseRequest([
        "up",
        "--cluster",
        "kubeconfig",
        "--registry",
        "r.example.com/m",
        "--set",
        "ccu=200",
        "--set",
        "rtc.enabled=false",
      ]),
    );
    const second = nextTarget(
      { ...found, present: ["metallb", "certManager"] },
      first,
      parseRequest(["deploy", "--cluster", "kubeconfig", "--set", "ccu=300"]),
    );
    assert.deepEqual(
      [second.registry, second.present, second.sets],
      ["r.example.com/m", ["metallb"], ["rtc.enabled=false", "ccu=300"]],
    );
  });
  it("have a folder for each cluster", () => {
    assert.equal(serverOf("clusters:\n- cluster:\n    server: https://10.0.0.1:6443\n"), "https://10.0.0.1:6443");
    assert.notEqual(folderOf("/r/local", "kubeconfig", "https://a"), folderOf("/r/local", "kubeconfig", "https://b"));
    assert.equal(folderOf("/r/local", "kind", ""), "/r/local-kind");
  });
});

describe("npm run local on kind", () => {
  it("asks for one control plane and three workers, in the networks that the stack assumes", () => {
    const c = parse(kindConfig());
    assert.deepEqual(
      c.nodes.map((n: any) => n.role),
      ["control-plane", "worker", "worker", "worker"],
    );
    assert.deepEqual(
      [c.kind, c.apiVersion, c.name, c.networking.podSubnet, c.networking.serviceSubnet],
      ["Cluster", "kind.x-k8s.io/v1alpha4", "matrix-ha-local", "10.244.0.0/16", "10.96.0.0/16"],
    );
  });
  it("says what is missing", () => {
    assert.deepEqual(
      kindNeeds(() => true),
      { engine: "docker", missing: [] },
    );
    assert.equal(kindNeeds((p) => p !== "docker").engine, "podman");
    assert.match(kindNeeds(() => false).missing.join("\n"), /kind.*\n.*docker or podman/);
  });
  it("chooses addresses at the end of the containers' network", () => {
    assert.equal(rangeIn(["fc00:f853::/64", "172.18.0.0/16"]), "172.18.255.200-172.18.255.210");
    assert.equal(rangeIn(["10.89.3.0/24"]), "10.89.3.200-10.89.3.210");
    assert.throws(() => rangeIn(["10.0.0.0/28"]), /too small/);
    assert.throws(() => rangeIn([]), /no IPv4 subnet/);
  });
});
