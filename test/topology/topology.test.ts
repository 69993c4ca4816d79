import assert from "node:assert/strict";
import { endKey, merged, peerLabels, tcp, type Peer } from "../../components/core/edges";
import { LAYERS } from "../../components/layers/registry";
import { edges } from "../../components/topology";
import { evaluated, tier } from "../../lab/common/tiers";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

describe("the table of edges", () => {
  it("has one row for two ends", () => {
    const key = (p: Peer): string =>
      JSON.stringify("namespace" in p ? [p.namespace, Object.entries(peerLabels(p)).sort()] : p);
    const rows = edges({ settings: fixtureSettings(), plan: fixturePlan() }).map(
      (e) => `${key(e.from)} -> ${key(e.to)}`,
    );
    assert.ok(rows.length > 100, `${rows.length} edges`);
    assert.deepEqual(
      rows.filter((r, i) => rows.indexOf(r) !== i),
      [],
    );
  });

  it("is declared by the caller alone: no two layers have a row for the same ends", async () => {
    for (const t of [tier(1000), tier(1000, { federation: true, s3: true })]) {
      const { settings, plan } = await evaluated(t.config);
      const declared = new Map<string, Set<string>>();
      for (const layer of LAYERS)
        for (const edge of layer.edges?.({ settings, plan, layers: LAYERS }) ?? []) {
          const ends = `${endKey(edge.from)} -> ${endKey(edge.to)}`;
          declared.set(ends, (declared.get(ends) ?? new Set()).add(layer.name));
        }
      assert.deepEqual(
        [...declared].filter(([, layers]) => layers.size > 1).map(([ends, layers]) => [ends, [...layers]]),
        [],
      );
    }
  });

  it("names only existing pods: an end that matches nothing would cut off a component", async () => {
    for (const t of [tier(1000), tier(1000, { federation: true, s3: true })]) {
      const { subject, settings, plan } = await evaluated(t.config);
      const pods = [
        ...subject.templates.map((x) => ({ namespace: x.owner.namespace, labels: x.labels })),
        // What the PostgreSQL operator's pods inherit is in the Cluster's inheritedMetadata.
        ...subject.operatorPods.map((x) => ({
          namespace: x.owner.namespace,
          labels: { ...x.labels, ...x.owner.inputs.spec.inheritedMetadata?.labels },
        })),
      ];
      const nobody = edges({ settings, plan })
        .flatMap((e) => [e.from, e.to])
        .filter((p): p is Extract<Peer, { namespace: string }> => "namespace" in p)
        .filter(
          (p) =>
            !pods.some(
              (pod) =>
                pod.namespace === p.namespace && Object.entries(peerLabels(p)).every(([k, v]) => pod.labels[k] === v),
            ),
        )
        .map((p) => ("component" in p ? `${p.namespace}/${p.component}` : `${p.namespace}/${p.label}`));
      // Made by others: applications of other stacks, a Grafana, cert-manager's solvers.
      assert.deepEqual(
        [...new Set(nobody)].filter(
          (n) =>
            !["matrix/other stacks' applications", "monitoring/grafana"].includes(n) && !n.endsWith("/acme-solver"),
        ),
        [],
      );
    }
  });

  it("loses no port and no reason when two rows become one", () => {
    const [from, to]: Peer[] = [
      { component: "a", namespace: "matrix" },
      { component: "b", namespace: "matrix" },
    ];
    assert.deepEqual(
      merged([
        { from, to, ports: tcp(1), why: "x" },
        { from, to, ports: tcp(1, 2), why: "y" },
        { from, to, ports: tcp(2), why: "z" },
      ]),
      [{ from, to, ports: tcp(1, 2), why: "x; y" }],
    );
    assert.equal(
      merged([
        { from, to, ports: tcp(1), why: "x" },
        { from: to, to: from, ports: tcp(1), why: "x" },
      ]).length,
      2,
    );
  });

  it("lets Prometheus scrape Redis, its proxy and MinIO, by monitoring's own rows", () => {
    const all = edges({ settings: fixtureSettings(), plan: fixturePlan() });
    for (const [component, port] of [
      ["redis-synapse", 9121],
      ["redis-synapse-master", 8404],
      ["redis-livekit", 9121],
      ["redis-livekit-master", 8404],
      ["minio", 9000],
    ] as const) {
      assert.ok(
        all.some(
          (e) =>
            "component" in e.from &&
            e.from.component === "prometheus" &&
            "component" in e.to &&
            e.to.component === component &&
            e.ports.some((p) => p.port === port),
        ),
        component,
      );
    }
  });
});
