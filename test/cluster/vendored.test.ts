import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { OPERATORS, installedOperators } from "../../components/layers/cluster/operators/operators";
import { operatorObjects, vendoredObjects, type Operator } from "../../components/layers/cluster/operators/vendored";
import { imageVersion } from "../../components/core/images";
import { check } from "../../scripts/vendor";
import { fixtureSettings } from "../fixtures/plan";
import { crdProblems } from "../helpers/crdSchemas";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";

const all = (change: (s: ReturnType<typeof fixtureSettings>) => void = () => undefined): any[] => {
  const settings = fixtureSettings();
  change(settings);
  return Object.values(OPERATORS).flatMap((o) => operatorObjects(o, settings));
};
const controllers = (objects: any[]): any[] => objects.filter((o) => o.kind === "Deployment" || o.kind === "DaemonSet");
const title = (o: any): string => `${o.kind} ${o.metadata.namespace ?? ""}/${o.metadata.name}`;

describe("vendored operators", () => {
  it("match the record in versions.json", () => assert.deepEqual(check(), []));

  it("together stay small", () => {
    const size = (dir: string): number =>
      fs
        .readdirSync(dir, { withFileTypes: true })
        .reduce(
          (n, e) => n + (e.isDirectory() ? size(path.join(dir, e.name)) : fs.statSync(path.join(dir, e.name)).size),
          0,
        );
    assert.ok(size(path.join(__dirname, "../../vendor")) < 6 * 1024 * 1024);
  });

  it("pull every image through the table, so that a mirror gets them all", () => {
    const objects = all((s) => {
      s.images.mirror = "mirror.example/prod";
    });
    // Anything that still names a public registry would be pulled around the mirror: images, arguments, variables,
    // helper pods.
    const text = JSON.stringify(objects.filter((o) => o.kind !== "CustomResourceDefinition"));
    assert.deepEqual(text.match(/(quay\.io|ghcr\.io|docker\.io|gcr\.io|registry\.k8s\.io)\/[^" ]+/g) ?? [], []);
    for (const o of controllers(objects))
      for (const c of o.spec.template.spec.containers) assert.match(c.image, /^mirror\.example\/prod\//, title(o));
  });

  it("run at the version that is vendored", () => {
    const settings = fixtureSettings();
    for (const o of Object.values(OPERATORS)) {
      const vendored = JSON.parse(fs.readFileSync(path.join(__dirname, "../../vendor/versions.json"), "utf8"))[o.name]
        .version;
      assert.equal(imageVersion(settings, o.image).replace(/^v/, ""), vendored.replace(/^v/, ""), o.name);
    }
  });

  it("are valid by Kubernetes' own schema", () => {
    const problems = all().flatMap((o) =>
      (kubernetesProblems(o) ?? crdProblems(o) ?? ["of no known kind"]).map((p) => `${title(o)}: ${p}`),
    );
    assert.deepEqual(problems, []);
  });

  it("are reached by their own Services, account and budget, and webhooks reach a Service", () => {
    const objects = all();
    const matches = (selector: any, labels: any): boolean =>
      Object.entries(selector).every(([k, v]) => labels[k] === v);
    const pods = controllers(objects);
    for (const o of pods) {
      assert.ok(
        matches(o.spec.selector.matchLabels, o.spec.template.metadata.labels),
        `${title(o)} does not select its pods`,
      );
      assert.ok(
        objects.some(
          (a) =>
            a.kind === "ServiceAccount" &&
            a.metadata.namespace === o.metadata.namespace &&
            a.metadata.name === o.spec.template.spec.serviceAccountName,
        ),
        `${title(o)} has no account`,
      );
      const budgets = objects.filter(
        (b) =>
          b.kind === "PodDisruptionBudget" &&
          b.metadata.namespace === o.metadata.namespace &&
          matches(b.spec.selector.matchLabels, o.spec.template.metadata.labels),
      );
      assert.equal(budgets.length, o.spec.replicas > 1 ? 1 : 0, `${title(o)}: ${budgets.length} budgets`);
    }
    for (const s of objects.filter((o) => o.kind === "Service")) {
      const behind = pods.filter(
        (p) =>
          p.metadata.namespace === s.metadata.namespace && matches(s.spec.selector, p.spec.template.metadata.labels),
      );
      assert.equal(behind.length, 1, `${title(s)} selects ${behind.length} workloads`);
      const named = behind[0].spec.template.spec.containers.flatMap((c: any) => c.ports.map((p: any) => p.name));
      for (const p of s.spec.ports) assert.ok(named.includes(p.targetPort), `${title(s)}: no port ${p.targetPort}`);
    }
    for (const w of objects.filter((o) => /WebhookConfiguration$/.test(o.kind))) {
      for (const hook of w.webhooks) {
        const { name, namespace } = hook.clientConfig.service;
        assert.ok(
          objects.some((s) => s.kind === "Service" && s.metadata.name === name && s.metadata.namespace === namespace),
          `${title(w)} calls ${name}.${namespace}`,
        );
      }
    }
  });

  it("are ready only once their webhook answers: an object of theirs that is registered next would be refused", () => {
    // Its /healthz fails for as long as its certificate is not there (pkg/webhook/server of cert-manager).
    const tells = ["cert-manager-webhook"];
    const objects = all(),
      asked: string[] = [];
    for (const hook of objects.filter((o) => /WebhookConfiguration$/.test(o.kind)).flatMap((o) => o.webhooks)) {
      const service = objects.find(
        (s) =>
          s.kind === "Service" &&
          s.metadata.name === hook.clientConfig.service.name &&
          s.metadata.namespace === hook.clientConfig.service.namespace,
      );
      const pod = controllers(objects).find(
        (p) =>
          p.metadata.namespace === service.metadata.namespace &&
          Object.entries(service.spec.selector).every(([k, v]) => p.spec.template.metadata.labels[k] === v),
      );
      const port = service.spec.ports[0].targetPort;
      const container = pod.spec.template.spec.containers.find((c: any) => c.ports.some((x: any) => x.name === port));
      const probes = [container.startupProbe, container.readinessProbe].map((p) => (p.httpGet ?? p.tcpSocket).port);
      assert.ok(
        probes.includes(port) || tells.includes(container.name),
        `${title(pod)} is ready without ${port}, its webhook's port`,
      );
      asked.push(container.name);
    }
    assert.deepEqual([...new Set(asked)].sort(), ["cert-manager-webhook", "controller", "manager"]);
  });

  it("have no two components of one name, and say why a controller has only one replica", () => {
    const components = Object.values(OPERATORS).flatMap((o) => Object.values(o.workloads).map((w) => w.component));
    assert.equal(new Set(components).size, components.length);
    for (const o of Object.values(OPERATORS)) {
      for (const w of Object.values(o.workloads)) {
        if (typeof w.replicas === "object") assert.ok(w.replicas.one.length > 20, w.component);
        else assert.ok(w.replicas === "daemon" || w.replicas >= 2, w.component);
      }
    }
  });

  it("lose no permission: every rule of the original is still there, for the same account", () => {
    const rights = (objects: any[]): string[] =>
      objects
        .filter((o) => /^(Cluster)?Role$/.test(o.kind))
        .map((o) => JSON.stringify([o.kind, o.metadata.name, o.rules]))
        .sort();
    assert.deepEqual(rights(all()), rights(Object.values(OPERATORS).flatMap((o) => vendoredObjects(o.name))));
  });

  it("refuse a manifest with a workload that has not been reviewed", () => {
    const stranger: Operator = { ...OPERATORS.metallb, workloads: {} };
    assert.throws(
      () => operatorObjects(stranger, fixtureSettings()),
      /metallb v0\.16\.1 has Deployment controller, DaemonSet speaker/,
    );
  });

  it("leave the vendored objects unchanged, and are identical when rendered twice", () => {
    const before = JSON.stringify(Object.values(OPERATORS).map((o) => vendoredObjects(o.name)));
    assert.deepEqual(all(), all());
    assert.equal(JSON.stringify(Object.values(OPERATORS).map((o) => vendoredObjects(o.name))), before);
  });

  it("are installed only where the settings say so", () => {
    const settings = fixtureSettings();
    assert.equal(installedOperators(settings).length, 7);
    settings.cluster.install.metallb = false;
    assert.ok(!installedOperators(settings).some((o) => o.name === "metallb"));
  });
});
