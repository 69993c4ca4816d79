/** A cluster that exists: nothing is made twice, nothing is written into namespaces that are not ours. */
import assert from "node:assert/strict";
import { readStackConfig } from "../../components/settings/stackFile";
import { resolveSettings } from "../../components/settings";
import { NAMESPACES } from "../../components/core/names";
import { evaluated } from "../../lab/common/tiers";

const small = (more: Record<string, any>): Record<string, any> => ({ ...readStackConfig("small"), ...more });
const objects = async (config: Record<string, any>): Promise<any[]> =>
  (await evaluated(config)).evaluation.resources.filter((r) => r.inputs?.kind).map((r) => r.inputs);
const kind = (list: any[], k: string): any[] => list.filter((o) => o.kind === k);
const titles = (list: any[]): string[] => list.map((o) => `${o.kind} ${o.metadata.namespace ?? ""}/${o.metadata.name}`);
const policy = (list: any[], name: string, namespace = "matrix"): any =>
  kind(list, "NetworkPolicy").find((o) => o.metadata.name === name && o.metadata.namespace === namespace).spec;

describe("Pulumi.existing.yaml: a cluster that exists", () => {
  let list: any[];
  before(async () => {
    list = await objects(readStackConfig("existing"));
  });

  it("makes only namespaces of its own, and writes into no other", () => {
    const own = kind(list, "Namespace").map((o) => o.metadata.name);
    assert.deepEqual(own.sort(), ["cnpg-system", "coturn", "livekit", "matrix", "minio"]);
    assert.deepEqual(
      titles(list.filter((o) => o.metadata.namespace !== undefined && !own.includes(o.metadata.namespace))),
      [],
    );
  });

  it("makes no pool, no issuer, no class, no controller and no Prometheus", () => {
    for (const k of [
      "IPAddressPool",
      "L2Advertisement",
      "ClusterIssuer",
      "StorageClass",
      "IngressClass",
      "Prometheus",
      "Alertmanager",
      "APIService",
    ])
      assert.deepEqual(titles(kind(list, k)), [], k);
  });

  it("uses its issuer, ingress class, storage classes, and the labels that its Prometheus selects", () => {
    const ingresses = kind(list, "Ingress");
    assert.ok(ingresses.length >= 4);
    for (const i of ingresses) {
      assert.equal(i.metadata.annotations["cert-manager.io/cluster-issuer"], "letsencrypt-dns");
      assert.equal(i.spec.ingressClassName, "nginx");
    }
    const claims = JSON.stringify(list)
      .match(/"storageClass(Name)?":"[^"]+"/g)!
      .map((t) => t.split('"')[3]);
    assert.deepEqual([...new Set(claims)].sort(), ["local-hdd", "local-nvme", "replicated"]);
    const monitors = [...kind(list, "PodMonitor"), ...kind(list, "PrometheusRule")];
    assert.ok(monitors.length > 10);
    for (const m of monitors) {
      assert.equal(m.metadata.labels.release, "kube-prometheus-stack");
      assert.equal(m.metadata.namespace, "matrix");
    }
  });

  it("its Prometheus reaches every target, in every namespace", () => {
    const prometheus = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "observability" } },
      podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } },
    };
    const admitted = (namespace: string): number =>
      kind(list, "NetworkPolicy")
        .filter((o) => o.metadata.namespace === namespace)
        .flatMap((o) => o.spec.ingress ?? [])
        .filter((r: any) => (r.from ?? []).some((p: any) => JSON.stringify(p) === JSON.stringify(prometheus))).length;
    for (const m of kind(list, "PodMonitor"))
      for (const namespace of m.spec.namespaceSelector.matchNames)
        // The SFU answers on its node's network, which no policy governs.
        if (namespace !== NAMESPACES.livekit || !/livekit/.test(m.metadata.name))
          assert.ok(admitted(namespace) > 0, `${m.metadata.name} in ${namespace}`);
    assert.ok(!JSON.stringify(kind(list, "NetworkPolicy")).includes('"monitoring"'), "no other Prometheus is admitted");
  });

  it("its ingress controller reaches the router and the challenges' solvers, and pods reach it by public names", () => {
    const controller = { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } };
    const from = (spec: any): any[] => spec.ingress.flatMap((r: any) => r.from.map((p: any) => p.namespaceSelector));
    for (const name of ["allow-haproxy", "allow-acme-solver"])
      assert.ok(
        from(policy(list, name)).some((p) => JSON.stringify(p) === JSON.stringify(controller)),
        name,
      );
    const toWorld = kind(list, "NetworkPolicy").filter((o) =>
      (o.spec.egress ?? []).some(
        (r: any) => r.ports.some((p: any) => p.port === 443) && r.to.some((p: any) => p.ipBlock?.cidr === "0.0.0.0/0"),
      ),
    );
    assert.ok(toWorld.length > 0);
    for (const o of toWorld) {
      const back = o.spec.egress.filter((r: any) =>
        r.to.some((p: any) => JSON.stringify(p.namespaceSelector) === JSON.stringify(controller)),
      );
      assert.deepEqual(
        back.flatMap((r: any) => r.ports.map((p: any) => p.port)).sort((x: number, y: number) => x - y),
        [80, 443, 8000, 8080, 8443],
        o.metadata.name,
      );
    }
  });

  it("runs nothing on machines that are somebody else's", async () => {
    const { evaluation } = await evaluated(readStackConfig("existing"));
    assert.deepEqual(
      evaluation.resources.filter((r) => r.type.startsWith("command:")).map((r) => r.name),
      [],
    );
  });
});

describe("parts that exist, one by one", function () {
  // Each evaluates the whole stack, some seconds on a machine that does nothing else.
  this.timeout(600_000);
  it("the backup plugin goes beside an operator that exists, without taking its namespace over", async () => {
    const list = await objects(small({ cluster: { install: { cloudNativePg: false } } }));
    assert.ok(titles(list).includes("Deployment cnpg-system/barman-cloud"));
    assert.ok(!titles(list).includes("Namespace /cnpg-system"));
    assert.deepEqual(titles(kind(list, "NetworkPolicy").filter((o) => o.metadata.namespace === "cnpg-system")), []);
  });

  it("an existing Prometheus keeps its namespace, also when it is called monitoring", async () => {
    const list = await objects(small({ monitoring: { prometheus: "existing" } }));
    assert.deepEqual(titles(list.filter((o) => o.metadata.namespace === "monitoring")), []);
    assert.ok(!titles(list).includes("Namespace /monitoring"));
  });

  it("MetalLB that exists: pools are made only where one says create, and the Service asks for the named one", async () => {
    const pools = [{ name: "theirs", addresses: ["203.0.113.10-203.0.113.20"] }];
    const config = (more: object = {}) =>
      small({ cluster: { install: { metallb: false } }, addressPools: [{ ...pools[0], ...more }] });
    const theirs = await objects(config());
    assert.deepEqual(titles(kind(theirs, "IPAddressPool")), []);
    const service = (list: any[]): any => list.find((o) => o.kind === "Service" && o.spec.type === "LoadBalancer");
    assert.equal(service(theirs).metadata.annotations["metallb.io/address-pool"], "theirs");
    const ours = await objects(config({ create: true }));
    assert.deepEqual(titles(kind(ours, "IPAddressPool")), ["IPAddressPool metallb-system/theirs"]);
    const without = await objects(small({ cluster: { install: { metallb: false } }, addressPools: undefined }));
    assert.equal(service(without).metadata.annotations?.["metallb.io/address-pool"], undefined);
  });

  it("the registry's login is in every namespace with pods of the stack, before they start, and every pod uses it", async () => {
    const login = JSON.stringify({ auths: { "registry.example.com": { auth: "dXNlcjpwYXNz" } } });
    const { evaluation } = await evaluated(small({ images: { mirror: "registry.example.com", dockerConfig: login } }));
    const resources = evaluation.resources.filter((r) => r.inputs?.kind);
    const made = resources.filter((r) => r.inputs.kind === "Secret" && r.inputs.metadata.name === "matrix-ha-registry");
    for (const r of made) {
      assert.equal(r.inputs.type, "kubernetes.io/dockerconfigjson");
      assert.deepEqual(Object.keys(r.inputs.stringData), [".dockerconfigjson"]);
    }
    const where = new Map(made.map((r) => [r.inputs.metadata.namespace, r.urn]));
    const pods = resources.filter((r) =>
      /^(Deployment|StatefulSet|DaemonSet|Job|Cluster|Pooler|Prometheus|Alertmanager)$/.test(r.inputs.kind),
    );
    const byUrn = new Map(evaluation.resources.map((r) => [r.urn, r]));
    const after = (urn: string, seen = new Set<string>()): Set<string> => {
      for (const d of byUrn.get(urn)?.dependencies ?? []) if (!seen.has(d)) after(d, seen.add(d));
      return seen;
    };
    for (const r of pods) {
      const { kind: k, metadata, spec } = r.inputs;
      const secrets = spec.imagePullSecrets ?? spec.template?.spec?.imagePullSecrets;
      assert.deepEqual(secrets, [{ name: "matrix-ha-registry" }], `${k} ${metadata.name}`);
      const secret = where.get(metadata.namespace);
      assert.ok(secret, `no login in ${metadata.namespace}`);
      assert.ok(after(r.urn).has(secret), `${k} ${metadata.name} starts before the login is there`);
    }
    // Pods that others make of our words: the provisioner's helper and the issuer's solvers.
    const config = resources.find((r) => r.inputs.metadata.name === "local-path-config")!.inputs.data["helperPod.yaml"];
    assert.match(config, /^spec:\n {2}imagePullSecrets:\n {2}- name: matrix-ha-registry$/m);
    const issuer = resources.find((r) => r.inputs.kind === "ClusterIssuer")!.inputs;
    assert.deepEqual(issuer.spec.acme.solvers[0].http01.ingress.podTemplate, {
      spec: { imagePullSecrets: [{ name: "matrix-ha-registry" }] },
    });
  });

  it("a login that names no registry, or only a helper of somebody's computer, is refused", () => {
    for (const wrong of ["{}", "not json", '{"credsStore":"desktop","auths":{"registry.example.com":{}}}']) {
      const { errors } = resolveSettings(small({ images: { dockerConfig: wrong } }), "t");
      assert.ok(
        errors.some((e) => e.path === "images.dockerConfig" && !JSON.stringify(e).includes("desktop")),
        wrong,
      );
    }
  });
});
