/** What holds for the whole program, whatever the settings. */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { isKubernetes } from "../../components/layers/resources";
import { EXCEPTIONS } from "../../policy";
import { evaluated, tier, TIERS } from "../../lab/common/tiers";

describe("the program", () => {
  for (const t of [tier(100), tier(20_000, { federation: true, s3: true })]) {
    it(`${t.name}: any two evaluations are identical`, async () => {
      const first = (await evaluated(t.config)).evaluation;
      const second = await evaluate({ stack: "test", config: t.config });
      assert.deepEqual(JSON.stringify(second.outputs), JSON.stringify(first.outputs));
      const byUrn = (e: typeof first): Map<string, string> =>
        new Map(e.resources.map((r) => [r.urn, JSON.stringify(r)]));
      const a = byUrn(first),
        b = byUrn(second);
      assert.deepEqual([...b.keys()].sort(), [...a.keys()].sort());
      for (const [urn, text] of a) assert.equal(b.get(urn), text, urn);
    });
  }

  for (const t of TIERS) {
    it(`${t.name}: each resource once, after what it depends on, through the one provider`, async () => {
      const { resources } = (await evaluated(t.config)).evaluation;
      const place = new Map(resources.map((r, i) => [r.urn, i]));
      assert.equal(place.size, resources.length, "no URN twice");
      for (const [i, r] of resources.entries()) {
        for (const d of r.dependencies) assert.ok((place.get(d) ?? Infinity) < i, `${r.urn} is registered before ${d}`);
      }
      const provider = resources.find((r) => r.type === "pulumi:providers:kubernetes")!.urn;
      for (const r of resources.filter((x) => x.type.startsWith("kubernetes:")))
        assert.equal(r.provider?.startsWith(`${provider}::`), true, `${r.urn} has ${r.provider ?? "no provider"}`);
    });
  }

  it("namespaces and definitions come before what needs them", async () => {
    const { resources } = (await evaluated(tier(1000).config)).evaluation;
    const objects = resources.filter(isKubernetes);
    const closure = (urn: string, seen = new Set<string>()): Set<string> => {
      for (const d of byUrn.get(urn)?.dependencies ?? [])
        if (!seen.has(d)) {
          seen.add(d);
          closure(d, seen);
        }
      return seen;
    };
    const byUrn = new Map(resources.map((r) => [r.urn, r]));
    const namespaces = new Map(
      objects.filter((r) => r.inputs.kind === "Namespace").map((r) => [r.inputs.metadata.name, r.urn]),
    );
    const definitions = new Map(
      objects
        .filter((r) => r.inputs.kind === "CustomResourceDefinition")
        .map((r) => [`${r.inputs.spec.group} ${r.inputs.spec.names.kind}`, r.urn]),
    );
    const missing: string[] = [];
    for (const o of objects) {
      const needs = [
        namespaces.get(o.inputs.metadata?.namespace),
        definitions.get(`${o.inputs.apiVersion.split("/")[0]} ${o.inputs.kind}`),
      ].filter((u): u is string => u !== undefined);
      const before = closure(o.urn);
      for (const n of needs)
        if (!before.has(n))
          missing.push(
            `${o.inputs.kind} ${o.inputs.metadata.namespace ?? ""}/${o.inputs.metadata.name} does not wait for ${n.split("::").pop()}`,
          );
    }
    assert.deepEqual(missing, []);
  });

  for (const [what, config] of Object.entries({
    "an unknown and several bad settings": { ...tier(1000).config, ccu: -1, domain: "no domain", nonsense: true },
    "hosts that do not suffice": { ...tier(20_000).config, hosts: (tier(1000).config as any).hosts },
  })) {
    it(`registers nothing with ${what}, and says everything at once`, async () => {
      const registered: string[] = [];
      const failure = await evaluate({
        stack: "test",
        config,
        generator: (r) => {
          registered.push(r.type);
          return {};
        },
      }).then(
        () => undefined,
        (e: Error) => e,
      );
      assert.deepEqual(
        registered.filter((type) => type !== "pulumi:pulumi:Stack"),
        [],
      );
      assert.ok(failure, "it is refused");
      const wanted =
        "nonsense" in config ? [/ccu/, /domain/, /nonsense/] : [/application/, /database/, /storage/, /remedy/];
      for (const w of wanted) assert.match(failure.message, w);
    });
  }
});

describe("the large stack", () => {
  it("has no single point of failure but those that Synapse imposes, which the plan names with their recovery time", async () => {
    for (const t of [tier(20_000), tier(20_000, { federation: true })]) {
      const { subject, plan } = await evaluated(t.config);
      const single = subject.templates
        .filter((x) => ["Deployment", "StatefulSet"].includes(x.owner.kind) && x.owner.inputs.spec.replicas === 1)
        .map((x) => `${x.owner.kind} ${x.owner.namespace}/${x.owner.name}`);
      const imposed = plan.synapse.pools.filter((p) => p.replicas === 1 && p.maxReplicas === 1);
      for (const p of imposed)
        assert.ok(p.recoverySeconds! > 0 && p.recoverySeconds! <= 30, `${p.class}: ${p.recoverySeconds} s`);
      // Neither a message nor a call passes through these.
      const serveNobody = [
        "cnpg-system/barman-cloud",
        "local-path-storage/local-path-provisioner",
        "metallb-system/controller",
        "monitoring/grafana",
        "monitoring/kube-state-metrics",
        "monitoring/prometheus-operator",
      ].map((n) => `Deployment ${n}`);
      assert.deepEqual(
        single.sort(),
        [...imposed.map((p) => `StatefulSet matrix/synapse-${p.class}`), ...serveNobody].sort(),
      );
      for (const s of single)
        assert.ok(
          EXCEPTIONS.some((e) => e.rule === "12" && e.object === s),
          `${s} has a reason`,
        );
      const note = plan.notes.find((n) => n.startsWith("Single points"))!;
      for (const p of imposed) assert.match(note, new RegExp(`${p.class} ${p.recoverySeconds}`));
      assert.ok(
        !imposed.some((p) =>
          ["synchrotron", "generic", "media", "event-persister", "pusher", "device-lists", "receipts"].includes(
            p.class,
          ),
        ),
        "what Synapse allows several of has several",
      );
    }
  });
});
