import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { ClusterFoundation, NetworkPolicies, PUBLIC_CERTIFICATE, clusterEdges } from "../../components/layers/cluster";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { objectStoreClass, storageClasses } from "../../components/layers/cluster/storageClasses";
import { diskMounts } from "../../components/layers/hosts";
import { fixtureContext, fixtureSettings } from "../fixtures/context";
import { crdProblems } from "../helpers/crdSchemas";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";

async function foundation(change: (s: Settings, p: Plan) => void = () => undefined): Promise<RegisteredResource[]> {
  const { resources } = await evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const f = new ClusterFoundation("cluster", { ctx }, { provider: ctx.provider });
      new NetworkPolicies("policies", { ctx, edges: clusterEdges(ctx), after: f.basics }, { provider: ctx.provider });
      return {};
    },
  });
  return resources;
}
const nothing = (s: Settings): void => {
  for (const k of Object.keys(s.cluster.install)) (s.cluster.install as Record<string, boolean>)[k] = false;
};
const twoAddresses = (_: Settings, { ingress }: Plan): void => {
  ingress.addresses = [["203.0.113.10"], ["203.0.113.11"]];
};
const kind = (list: RegisteredResource[], k: string): RegisteredResource[] => list.filter((r) => r.inputs?.kind === k);
const one = (list: RegisteredResource[], k: string, name: string): RegisteredResource => {
  const found = kind(list, k).filter((r) => r.inputs.metadata.name === name);
  assert.equal(found.length, 1, `${found.length} of ${k} ${name}`);
  return found[0]!;
};

/** Everything that must exist before. */
function earlierThan(list: RegisteredResource[], r: RegisteredResource): Set<string> {
  const byUrn = new Map(list.map((x) => [x.urn, x]));
  const seen = new Set<string>();
  const walk = (urn: string): void => {
    for (const d of byUrn.get(urn)?.dependencies ?? [])
      if (!seen.has(d)) {
        seen.add(d);
        walk(d);
      }
  };
  walk(r.urn);
  return seen;
}

describe("cluster foundation", () => {
  let full: RegisteredResource[];
  before(async () => {
    full = await foundation();
  });

  it("registers only valid objects", () => {
    const problems = full
      .filter((r) => r.inputs?.kind)
      .flatMap((r) =>
        (kubernetesProblems(r.inputs) ?? crdProblems(r.inputs) ?? ["of no known kind"]).map(
          (p) => `${r.inputs.kind} ${r.inputs.metadata.name}: ${p}`,
        ),
      );
    assert.deepEqual(problems, []);
  });

  it("gives each disk of a storage host a class of its own, and MinIO's drives one each", async () => {
    const two = (s: Settings): void => {
      for (const h of s.hosts)
        if (h.roles.includes("storage"))
          h.disks = [1, 2].map((n) => ({
            id: `/dev/disk/by-id/${h.name}-${n}`,
            use: "object-store" as const,
            sizeGiB: 1000,
          }));
    };
    const list = await foundation(two);
    const path = (name: string): string => one(list, "StorageClass", name).inputs.parameters.nodePath;
    assert.deepEqual(
      [path("matrix-ha-object-store"), path("matrix-ha-object-store-2")],
      ["/var/lib/matrix-ha/object-store", "/var/lib/matrix-ha/object-store-2"],
    );
    const paths = JSON.parse(one(list, "ConfigMap", "local-path-config").inputs.data["config.json"]).nodePathMap[0]
      .paths;
    assert.ok(
      paths.includes("/var/lib/matrix-ha/object-store-2"),
      "the provisioner refuses a nodePath that it does not know",
    );
    const settings = fixtureSettings();
    two(settings);
    // Each class's directory is where the host step mounts that disk.
    const host = settings.hosts.find((h) => h.roles.includes("storage"))!;
    assert.deepEqual(
      [0, 1].map((d) => path(objectStoreClass(settings, d))),
      diskMounts(host).map((m) => m.path),
    );
    settings.cluster.install.localPathProvisioner = false;
    assert.deepEqual(
      [0, 1].map((d) => objectStoreClass(settings, d)),
      ["matrix-ha-object-store", "matrix-ha-object-store"],
    );
    assert.ok(
      storageClasses(settings).every((c) => c.parameters.nodePath === undefined),
      "another provisioner knows nothing of these directories",
    );
    settings.cluster.install.localPathProvisioner = true;
    settings.storage.objectStore.create = false;
    assert.equal(objectStoreClass(settings, 1), "matrix-ha-object-store", "a class that exists serves all drives");
  });

  it("enforces Pod Security in every namespace, restricted except where a reason is given", () => {
    const levels = Object.fromEntries(
      kind(full, "Namespace").map((n) => [
        n.inputs.metadata.name,
        n.inputs.metadata.labels["pod-security.kubernetes.io/enforce"],
      ]),
    );
    assert.deepEqual(
      Object.keys(levels)
        .filter((n) => levels[n] !== "restricted")
        .sort(),
      ["coturn", "livekit", "local-path-storage", "metallb-system", "monitoring"],
    );
    assert.equal(levels.matrix, "restricted");
  });

  it("leaves objects that may hold other people's data when the stack is destroyed: namespaces and definitions", () => {
    for (const k of ["Namespace", "CustomResourceDefinition"]) {
      assert.ok(kind(full, k).length > 4, k);
      for (const r of kind(full, k)) assert.ok(r.retainOnDelete && !r.protect, r.name);
    }
  });

  it("uses cert-manager only when the API server has its webhook's certificate", () => {
    const hooks = full.filter(
      (r) => /WebhookConfiguration$/.test(r.inputs?.kind) && r.inputs.metadata.name === "cert-manager-webhook",
    );
    assert.equal(hooks.length, 2);
    const users = full.filter((r) => ["ClusterIssuer", "Issuer", "Certificate"].includes(r.inputs?.kind));
    assert.ok(users.length > 0);
    for (const h of hooks) {
      assert.match(h.inputs.metadata.annotations["pulumi.com/waitFor"], /caBundle/);
      for (const u of users) assert.ok(u.dependencies.includes(h.urn), `${u.name} comes after ${h.name}`);
      for (const d of full.filter(
        (r) => r.inputs?.kind === "Deployment" && r.inputs.metadata.namespace === "cert-manager",
      ))
        assert.ok(h.dependencies.includes(d.urn));
    }
  });

  it("makes the API server refuse changes to foreign objects before anything else is applied", () => {
    const policy = one(full, "ValidatingAdmissionPolicy", "matrix-ha-fixture-owns-what-it-applies"),
      binding = one(full, "ValidatingAdmissionPolicyBinding", policy.inputs.metadata.name);
    assert.deepEqual(binding.inputs.spec, { policyName: policy.inputs.metadata.name, validationActions: ["Deny"] });
    assert.ok(binding.dependencies.includes(policy.urn));
    for (const k of ["Namespace", "StorageClass", "PriorityClass"])
      for (const r of kind(full, k)) assert.ok(r.dependencies.includes(binding.urn), r.name);
    assert.match(policy.inputs.spec.matchConditions[0].expression, /fieldManager == 'matrix-ha-fixture'/);
  });

  it("makes storage classes that wait for a consumer, keep released volumes and use the hosts' directories", () => {
    const classes = kind(full, "StorageClass");
    // The database, its WAL, everything else, and one for each of the two drives of a storage host.
    assert.equal(classes.length, 5);
    for (const c of classes)
      assert.deepEqual([c.inputs.volumeBindingMode, c.inputs.reclaimPolicy], ["WaitForFirstConsumer", "Retain"]);
    const paths = JSON.parse(one(full, "ConfigMap", "local-path-config").inputs.data["config.json"]).nodePathMap[0]
      .paths;
    for (const c of classes)
      assert.ok(
        paths.includes(c.inputs.parameters.nodePath),
        `${c.inputs.metadata.name}: ${c.inputs.parameters.nodePath} is not a path of the provisioner`,
      );
  });

  it("creates no class that exists, and one class for a shared one", async () => {
    const list = await foundation((s) => {
      nothing(s);
      s.storage.database.create = false;
      s.storage.general = { ...s.storage.objectStore };
    });
    assert.deepEqual(
      kind(list, "StorageClass").map((c) => c.inputs.metadata.name),
      ["matrix-ha-object-store"],
    );
  });

  it("has each custom resource after its definition and its operator's controllers", () => {
    const definition = new Map(
      kind(full, "CustomResourceDefinition").map((d) => [`${d.inputs.spec.group} ${d.inputs.spec.names.kind}`, d]),
    );
    const custom = full.filter((r) =>
      definition.has(`${String(r.inputs?.apiVersion).split("/")[0]} ${r.inputs?.kind}`),
    );
    assert.ok(custom.length >= 4, `${custom.length} custom resources`);
    for (const r of custom) {
      const d = definition.get(`${r.inputs.apiVersion.split("/")[0]} ${r.inputs.kind}`)!;
      const earlier = earlierThan(full, r);
      assert.ok(earlier.has(d.urn), `${r.name} may come before ${d.inputs.metadata.name}`);
      const controller = r.inputs.apiVersion.startsWith("metallb") ? "controller" : "cert-manager-webhook";
      assert.ok(earlier.has(one(full, "Deployment", controller).urn), `${r.name} may come before ${controller}`);
    }
  });

  it("gives the public entrance an address of the ingress pool, after the pool", () => {
    const s = one(full, "Service", "nginx-ingress");
    assert.equal(s.inputs.metadata.annotations["metallb.io/address-pool"], "public");
    assert.equal(s.inputs.spec.externalTrafficPolicy, "Local");
    const controller = one(full, "Deployment", "nginx-ingress");
    const args: string[] = controller.inputs.spec.template.spec.containers[0].args;
    assert.ok(args.includes("-enable-custom-resources=false") && args.includes("-ingress-class=nginx"), args.join(" "));
  });

  it("lets the entrance read its certificates, and no Secret or ConfigMap of another namespace", async () => {
    for (const list of [full, await foundation(twoAddresses)]) {
      const cluster = kind(list, "ClusterRole").filter((r) => /^matrix-ha-nginx-ingress/.test(r.inputs.metadata.name));
      const roles = kind(list, "Role").filter((r) => /^nginx-ingress/.test(r.inputs.metadata.name));
      assert.ok(cluster.length > 0 && roles.length === cluster.length);
      for (const r of cluster)
        for (const rule of r.inputs.rules)
          assert.ok(!rule.resources.some((x: string) => ["secrets", "configmaps", "*"].includes(x)), r.name);
      for (const r of roles) assert.equal(r.inputs.metadata.namespace, "nginx-ingress");
      // What it may read there: certificates only.
      const secrets = kind(list, "Secret").filter((r) => r.inputs.metadata.namespace === "nginx-ingress");
      assert.deepEqual(
        secrets.map((r) => [r.inputs.metadata.name, r.inputs.type]),
        [[PUBLIC_CERTIFICATE, "kubernetes.io/tls"]],
      );
      const args: string[] = one(list, "Deployment", "nginx-ingress").inputs.spec.template.spec.containers[0].args;
      // It would list the Secrets of every namespace that it watches, and never start where it may not.
      assert.ok(args.includes("-watch-secret-namespace=nginx-ingress"), args.join(" "));
      assert.ok(args.includes("-watch-namespace=nginx-ingress,matrix,livekit"), args.join(" "));
    }
  });

  it("gives each address a Service, an account and pods of its own, apart from all others", async () => {
    const list = await foundation(twoAddresses);
    const services = kind(list, "Service").filter((r) => r.inputs.spec.type === "LoadBalancer");
    assert.deepEqual(
      services.map((s) => [s.inputs.metadata.name, s.inputs.metadata.annotations["metallb.io/loadBalancerIPs"]]),
      [
        ["nginx-ingress", "203.0.113.10"],
        ["nginx-ingress-2", "203.0.113.11"],
      ],
    );
    for (const s of services) {
      assert.deepEqual(
        [s.inputs.spec.externalTrafficPolicy, s.inputs.spec.allocateLoadBalancerNodePorts],
        ["Local", false],
      );
      const { spec } = one(list, "Deployment", s.inputs.metadata.name).inputs;
      assert.deepEqual(s.inputs.spec.selector, spec.selector.matchLabels);
      const apart = Object.values<any>(spec.template.spec.affinity.podAntiAffinity).flat()[0];
      const { labelSelector } = apart.podAffinityTerm ?? apart;
      assert.deepEqual(labelSelector.matchLabels, { "app.kubernetes.io/name": "nginx-ingress" });
      assert.equal(spec.template.metadata.labels["app.kubernetes.io/name"], "nginx-ingress");
      // One pod works, another takes over.
      assert.ok(spec.replicas >= 2);
    }
    assert.notDeepEqual(services[0]!.inputs.spec.selector, services[1]!.inputs.spec.selector);
  });

  it("installs nothing that the cluster already has", async () => {
    const list = await foundation(nothing);
    assert.deepEqual(
      list
        .filter((r) => ["Deployment", "DaemonSet", "CustomResourceDefinition", "ClusterRole"].includes(r.inputs?.kind))
        .map((r) => r.name),
      [],
    );
    assert.equal(kind(list, "IPAddressPool").length, 1, "addresses are still this stack's");
  });

  it("own CA: one protected key, the same certificate for every name in each namespace that presents it, and the CA to trust", () => {
    const key = full.find((r) => r.type === "tls:index/privateKey:PrivateKey" && r.protect)!;
    assert.match(key.name, /ca-key$/);
    const request = full.find((r) => r.type === "tls:index/certRequest:CertRequest")!;
    for (const n of ["matrix.example.org", "chat.example.org", "rtc.example.org", "turn.example.org", "example.org"])
      assert.ok(request.inputs.dnsNames.includes(n), n);
    const secrets = kind(full, "Secret").filter((r) => r.inputs.metadata.name === PUBLIC_CERTIFICATE);
    assert.deepEqual(secrets.map((r) => r.inputs.metadata.namespace).sort(), ["coturn", "nginx-ingress"]);
    assert.equal(new Set(secrets.map((r) => JSON.stringify(r.inputs.stringData))).size, 1);
    for (const r of secrets) assert.match(r.inputs.stringData["tls.key"], /PRIVATE KEY/);
    assert.equal(
      kind(full, "ConfigMap").filter((r) => r.inputs.data?.["ca.crt"] && !/PRIVATE/.test(r.inputs.data["ca.crt"]))
        .length,
      3,
    );
  });

  it("ACME: an issuer and no key of our own", async () => {
    const list = await foundation((s) => {
      s.tls = { mode: "acme", email: "ops@example.org", server: "https://acme.example/directory" };
    });
    const issuer = one(list, "ClusterIssuer", "matrix-ha-acme");
    // F5's controller refuses a second Ingress for a host unless it is one that adds paths.
    assert.deepEqual(issuer.inputs.spec.acme.solvers[0].http01.ingress.ingressTemplate.metadata.annotations, {
      "nginx.org/mergeable-ingress-type": "minion",
    });
    assert.equal(issuer.inputs.spec.acme.server, "https://acme.example/directory");
    assert.deepEqual(
      list.filter((r) => r.type.startsWith("tls:")),
      [],
    );
    assert.ok(
      kind(list, "NetworkPolicy").some((p) => JSON.stringify(p.inputs.spec).includes("http01-solver")),
      "no client may reach the solver",
    );
  });

  it("given certificate: exactly that, and the key is a secret", async () => {
    const list = await foundation((s) => {
      nothing(s);
      s.tls = { mode: "given", certificate: "CERT", privateKey: "KEY" };
    });
    const secret = kind(list, "Secret").find((r) => r.inputs.metadata.namespace === "matrix")!;
    assert.deepEqual(secret.inputs.stringData, { "tls.crt": "CERT", "tls.key": "KEY" });
    assert.ok(secret.secretPaths.length > 0, "the key is registered in the clear");
  });

  it("creates no policies when they are turned off", async () => {
    assert.deepEqual(
      kind(
        await foundation((s) => {
          nothing(s);
          s.networkPolicies.enabled = false;
        }),
        "NetworkPolicy",
      ),
      [],
    );
  });
});
