/**
 * All pairs of pods of every size, asked of the rendered policies: what a layer declares is open, on both ends, and
 * nothing else is. The cluster's engine is asked the same questions in test/local/security.test.ts.
 */
import assert from "node:assert/strict";
import { edges as edgesOf } from "../../components/topology";
import { readStackConfig } from "../../components/settings/stackFile";
import { evaluated, TIERS, tier, type Evaluated } from "../../lab/common/tiers";
import { BESIDES, isOpen, isPeer, portsOf, world, type World } from "./stack";
import type { Edge } from "../../components/core/edges";
import type { Port } from "./simulator";

/** Ports that nothing listens on, beside all that some edge or container names. */
const OTHERS: Port[] = [
  { port: 22, protocol: "TCP" },
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
  { port: 10250, protocol: "TCP" },
  { port: 65535, protocol: "UDP" },
];

function asked(e: Evaluated): World & { edges: Edge[]; ports: Port[] } {
  const { subject, settings, plan } = e;
  const edges = edgesOf({ settings, plan });
  const pods = [
    ...subject.templates.map((t) => ({
      namespace: t.owner.namespace,
      name: t.owner.name,
      labels: t.labels,
      hostNetwork: t.spec.hostNetwork === true,
    })),
    ...subject.operatorPods.map((t) => ({
      namespace: t.owner.namespace,
      name: t.owner.name,
      labels: { ...t.labels, ...t.owner.inputs.spec.inheritedMetadata?.labels },
      hostNetwork: false,
    })),
  ];
  const containers = subject.templates.flatMap((t) =>
    t.spec.containers.flatMap((c: any) =>
      (c.ports ?? []).map((p: any): Port => ({ port: p.containerPort, protocol: p.protocol ?? "TCP" })),
    ),
  );
  const all = [...edges.flatMap(portsOf), ...containers, ...OTHERS];
  const ports = [...new Map(all.map((p) => [`${p.port}/${p.protocol}`, p])).values()];
  return { ...world({ objects: subject.objects.map((o) => o.inputs), pods, edges, settings }), edges, ports };
}

interface Found {
  closed: string[];
  open: string[];
  pairs: number;
  questions: number;
  besides: Set<string>;
}

function compare(w: ReturnType<typeof asked>): Found {
  const found: Found = { closed: [], open: [], pairs: 0, questions: 0, besides: new Set() };
  const [out, into] = (["from", "to"] as const).map(
    (side) => new Map(w.ends.map((x) => [x, new Set(w.edges.filter((e) => isPeer(e[side], x, side)))])),
  );
  for (const from of w.ends)
    for (const to of w.ends) {
      if (from === to || (from.kind !== "pod" && to.kind !== "pod")) continue;
      found.pairs++;
      const declared = [...out!.get(from)!].filter((e) => into!.get(to)!.has(e));
      const may = w.network.between(from, to);
      for (const p of w.ports) {
        found.questions++;
        const wanted = declared.some((e) => isOpen(e, p));
        const { allowed } = may(p);
        if (wanted && !allowed) found.closed.push(`${from.name} -> ${to.name} ${p.port}/${p.protocol}`);
        if (!wanted && allowed) {
          const reason = BESIDES.find((b) => b.open(from, to, p, w.edges));
          if (reason) found.besides.add(reason.why);
          else found.open.push(`${from.name} -> ${to.name} ${p.port}/${p.protocol}`);
        }
      }
    }
  return found;
}

const LOCAL = "Pulumi.local.yaml";
const CASES = [...TIERS, { name: LOCAL, config: readStackConfig("local") as Record<string, unknown> }];

describe("network policies of the whole stack", function () {
  this.timeout(600_000);
  const used = new Set<string>();

  for (const t of CASES) {
    it(`allow every declared edge and nothing else: ${t.name}`, async () => {
      const w = asked(await evaluated(t.config));
      const found = compare(w);
      found.besides.forEach((b) => used.add(b));
      console.log(
        `        ${w.ends.length} ends, ${found.pairs} pairs, ${found.questions} questions, ${w.edges.length} edges`,
      );
      assert.ok(
        w.ends.filter((e) => e.kind === "pod").length > 40 && w.edges.length > 50,
        "there is something to ask about",
      );
      assert.deepEqual([...new Set(found.closed)].slice(0, 20), [], "declared, and refused");
      assert.deepEqual([...new Set(found.open)].slice(0, 20), [], "not declared, and allowed");
      for (const e of w.edges) {
        const onHosts = (p: Edge["from"]): boolean => "namespace" in p && !w.ends.some((x) => isPeer(p, x));
        if (!onHosts(e.from) && !onHosts(e.to))
          assert.ok(
            w.ends.some((from) => isPeer(e.from, from)) && w.ends.some((to) => isPeer(e.to, to, "to")),
            `no pod is an end of: ${e.why}`,
          );
      }
    });
  }

  it("what is open beside the table is needed for each of its reasons", () => {
    assert.deepEqual(
      BESIDES.map((b) => b.why).filter((w) => !used.has(w)),
      [],
    );
  });

  it("between the stack's own pods the refusal does not hang on one end", async () => {
    const w = asked(await evaluated(tier(1000).config));
    let both = 0;
    const one: string[] = [];
    for (const from of w.ends)
      for (const to of w.ends) {
        if (from === to || from.kind !== "pod" || to.kind !== "pod") continue;
        const may = w.network.between(from, to);
        for (const p of w.ports) {
          const v = may(p);
          if (v.egress !== v.ingress) one.push(`${from.name} -> ${to.name} ${p.port}`);
          else if (!v.allowed) both++;
        }
      }
    console.log(
      `        ${both} refused on both ends, ${one.length} on one (what is open to the world or to webhooks)`,
    );
    assert.ok(one.length < both / 20, one.slice(0, 5).join(", "));
  });

  it("notices a missing policy, one that is too wide, and an edge that was not rendered", async () => {
    const e = await evaluated(tier(1000).config);
    const objects = e.subject.objects;
    const changed = (list: typeof objects, edges?: (x: Edge[]) => Edge[]): Found => {
      const w = asked({ ...e, subject: { ...e.subject, objects: list } });
      return compare({ ...w, edges: edges ? edges(w.edges) : w.edges });
    };
    const is =
      (name: string) =>
      (o: (typeof objects)[number]): boolean =>
        o.kind === "NetworkPolicy" && o.name === name;
    assert.ok(objects.some(is("allow-redis-synapse")) && objects.some(is("default-deny")));
    assert.ok(changed(objects.filter((o) => !is("allow-redis-synapse")(o))).closed.length > 0, "missing");
    assert.ok(changed(objects.filter((o) => !is("default-deny")(o))).open.length > 0, "no default");
    const wide = objects.map((o) =>
      is("allow-redis-synapse")(o) ? { ...o, inputs: { ...o.inputs, spec: { ...o.inputs.spec, ingress: [{}] } } } : o,
    );
    // Its callers are still held by their own egress: what is noticed is the world.
    assert.ok(
      changed(wide).open.some((x) => x.startsWith("the world -> matrix/redis-synapse")),
      "too wide",
    );
    assert.ok(
      changed(objects, (x) => [
        ...x,
        {
          from: { component: "element-web", namespace: "matrix" },
          to: { component: "redis-synapse", namespace: "matrix" },
          ports: [{ port: 6379, protocol: "TCP" }],
          why: "x",
        },
      ]).closed.length > 0,
      "not rendered",
    );
  });
});
