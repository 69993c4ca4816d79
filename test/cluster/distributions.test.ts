/** The stack meets what each distribution puts into a fresh cluster. */
import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { DISTRIBUTIONS, DISTRIBUTION_FACTS, type Distribution } from "../../components/domain/distributions";
import { ClusterFoundation, NetworkPolicies, clusterEdges } from "../../components/layers/cluster";
import { plan } from "../../components/plan";
import type { Settings } from "../../components/settings/types";
import { readStackConfig } from "../../components/settings/stackFile";
import { crdProblems } from "../helpers/crdSchemas";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";
import { SHIPPED } from "./shipped";
import { settingsOf } from "../helpers/settings";

const settingsFor = (distribution: Distribution | undefined, more: object = {}): Settings => {
  const raw = { ...readStackConfig("small"), cluster: { ...(distribution ? { distribution } : {}), ...more } };
  return settingsOf(raw);
};

async function rendered(settings: Settings): Promise<any[]> {
  const { resources } = await evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const provider = new k8s.Provider("cluster", { kubeconfig: "{}", clusterIdentifier: "t" });
      const ctx = { settings, plan: plan(settings), provider };
      const f = new ClusterFoundation("cluster", { ctx }, { provider });
      new NetworkPolicies("policies", { ctx, edges: clusterEdges(ctx), after: f.basics }, { provider });
      return {};
    },
  });
  return resources.filter((r: RegisteredResource) => r.inputs?.kind).map((r) => r.inputs);
}
const title = (o: any): string =>
  `${o.kind} ${o.metadata.namespace ? `${o.metadata.namespace}/` : ""}${o.metadata.name}`;
const named = (list: any[], t: string): any => list.find((o) => title(o) === t);

describe("distributions", () => {
  for (const distribution of DISTRIBUTIONS.filter((d) => d !== "other")) {
    const shipped = SHIPPED[distribution];
    describe(distribution, () => {
      const settings = settingsFor(distribution);
      let list: any[];
      before(async () => {
        list = await rendered(settings);
      });

      it("no object is one that it brings", () => {
        assert.deepEqual(
          list.map(title).filter((t) => shipped.objects.includes(t)),
          [],
        );
      });
      it("all objects are valid", () => {
        const problems = list.flatMap((o) =>
          (kubernetesProblems(o) ?? crdProblems(o) ?? ["of no known kind"]).map((p) => `${title(o)}: ${p}`),
        );
        assert.deepEqual(problems, []);
      });
      it("its networks are the defaults", () => {
        const { podCidrs, serviceCidrs } = settings.cluster;
        assert.deepEqual([podCidrs, serviceCidrs], [[shipped.networks.pods], [shipped.networks.services]]);
      });
      it("autoscaling has exactly one metrics-server", () => {
        const ours = list.filter((o) => title(o) === "APIService v1beta1.metrics.k8s.io").length;
        assert.equal(ours + (shipped.metrics ? 1 : 0), 1);
      });
      it("metrics-server trusts the kubelets by the certificates that they have", () => {
        const own = named(list, "Deployment kube-system/metrics-server");
        assert.equal(settings.cluster.kubeletCertificates, shipped.kubelet);
        if (!own) return assert.ok(shipped.metrics);
        const { args, volumeMounts } = own.spec.template.spec.containers[0];
        const checks = args.includes("--kubelet-certificate-authority=/ca/ca.crt");
        assert.deepEqual(
          [checks, args.includes("--kubelet-insecure-tls"), volumeMounts.some((m: any) => m.mountPath === "/ca")],
          shipped.kubelet === "cluster-ca" ? [true, false, true] : [false, true, false],
        );
      });
      it("each class has one provisioner, and that one is ours", () => {
        const provisioner = named(list, "Deployment local-path-storage/local-path-provisioner");
        const container = provisioner.spec.template.spec.containers[0];
        const name = container.env.find((e: any) => e.name === "PROVISIONER_NAME")?.value ?? "rancher.io/local-path";
        assert.ok(!shipped.provisioners.includes(name), `two provisioners would answer for ${name}`);
        const classes = list.filter((o) => o.kind === "StorageClass");
        assert.ok(classes.length >= 3);
        for (const c of classes) {
          assert.equal(c.provisioner, name, c.metadata.name);
          assert.equal(c.allowVolumeExpansion, false, c.metadata.name);
          assert.match(c.parameters.nodePath, /^\/var\/lib\/matrix-ha\//, c.metadata.name);
        }
        const binding = list.find(
          (o) => o.kind === "ClusterRoleBinding" && o.subjects?.[0]?.namespace === "local-path-storage",
        );
        assert.ok(named(list, `ClusterRole ${binding.roleRef.name}`), "the binding names a role that is not rendered");
      });
      it("pods reach its DNS", () => {
        const dns = named(list, "NetworkPolicy matrix/allow-dns").spec.egress[0].to;
        assert.ok(dns.some((p: any) => JSON.stringify(p.podSelector?.matchLabels) === JSON.stringify(shipped.dns)));
        const cached = dns.flatMap((p: any) => (p.ipBlock ? [p.ipBlock.cidr] : []));
        if (shipped.nodeLocalDns) assert.deepEqual(cached, [`${shipped.nodeLocalDns}/32`]);
      });
    });
  }

  it("what was written prevails over the distribution", async () => {
    const s = settingsFor("k3s", {
      podCidrs: ["10.99.0.0/16"],
      nodeLocalDns: ["169.254.99.1", "fd00::53"],
      kubeletCertificates: "self-signed",
      install: { metricsServer: true },
    });
    assert.deepEqual(s.cluster.podCidrs, ["10.99.0.0/16"]);
    assert.deepEqual(s.cluster.serviceCidrs, ["10.43.0.0/16"]);
    const list = await rendered(s);
    const dns = named(list, "NetworkPolicy matrix/allow-dns").spec.egress[0].to;
    assert.deepEqual(
      dns.flatMap((p: any) => (p.ipBlock ? [p.ipBlock.cidr] : [])),
      ["169.254.99.1/32", "fd00::53/128"],
    );
    assert.ok(named(list, "Deployment kube-system/metrics-server"));
  });

  it("a provisioner that exists keeps its own name and directories", () => {
    const s = settingsFor("k3s", { install: { localPathProvisioner: false } });
    assert.equal(s.storage.database.provisioner, "rancher.io/local-path");
  });

  it("says what a cluster must be installed without, and what it cannot check", () => {
    const notes = (d: Distribution): string => plan(settingsFor(d)).notes.join("\n");
    for (const b of DISTRIBUTION_FACTS.k3s.inTheWay) assert.ok(notes("k3s").includes(b.how), b.how);
    assert.match(notes("rke2"), /ingress-controller: none/);
    assert.match(notes("kubeadm"), /accepts any certificate of the kubelets/);
    for (const d of ["k3s", "rke2", "other"] as const) assert.doesNotMatch(notes(d), /accepts any certificate/);
  });
});
