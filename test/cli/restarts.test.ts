/** What `npm run diff` says about restarts, and about lists of which an item comes or goes. */
import assert from "node:assert/strict";
import { compare, formatChanges } from "../../cli/diff";
import { fieldsOf } from "../../cli/fields";
import { isOperated, operatedReason, restartCost } from "../../cli/restarts";
import { isKubernetes, kindOf, objectTitle } from "../../components/layers/resources";
import { applySets } from "../../components/settings/stackFile";
import { evaluated, tier } from "../../lab/common/tiers";

const SMALL = tier(1000).config;

async function between(sets: string[]): Promise<{ changes: ReturnType<typeof compare>; text: string }> {
  const before = await evaluated(SMALL),
    after = await evaluated(applySets(SMALL, sets));
  const changes = compare(before.evaluation, after.evaluation, after.plan.failures);
  return { changes, text: formatChanges(changes) };
}

describe("npm run diff names the restart of", function () {
  this.timeout(120_000);

  it("PostgreSQL, for a parameter that it reads at its start only, with the plan's seconds", async () => {
    const { text } = await between(["overrides.postgres.maxConnections=900"]);
    const { failures } = (await evaluated(SMALL)).plan;
    const { seconds } = failures.find((f) => f.failure === "PostgreSQL primary: node drained")!;
    assert.match(
      text,
      new RegExp(`Cluster matrix/synapse-postgres: ${seconds} s \\(switchover\\)\\. Why: PostgreSQL's max_connections`),
    );
    assert.doesNotMatch(text, /No workload restarts/);
  });

  it("nothing, for a parameter that PostgreSQL reloads", async () => {
    const { changes, text } = await between(["overrides.postgres.parameters.work_mem=32MB"]);
    assert.ok(changes.some((c) => c.title === "Cluster matrix/synapse-postgres"));
    assert.match(text, /No workload restarts/);
  });

  for (const [what, sets, title] of [
    ["Prometheus", ["monitoring.retentionDays=3"], "Prometheus monitoring/prometheus"],
    ["the Alertmanager", ["images.overrides.alertmanager=example.org/am:1"], "Alertmanager monitoring/alertmanager"],
    ["PostgreSQL", ["overrides.postgres.memoryMiB=20000"], "Cluster matrix/synapse-postgres"],
  ] as const)
    it(`${what}, for ${sets[0].split("=")[0]}`, async () => {
      const { changes } = await between([...sets]);
      const change = changes.find((c) => c.title === title);
      assert.ok(change?.restarts, JSON.stringify(changes.map((c) => [c.title, c.restarts])));
    });

  it("what restarts before anything else, the costliest first", async () => {
    const { text } = await between(["ccu=1100"]);
    const lines = text.split("\n");
    const first = lines.findIndex((l) => l.startsWith("Restarts")),
      layer = lines.findIndex((l) => /^[a-z]+$/.test(l));
    assert.ok(first >= 0 && first < layer, text);
    const seconds = lines.slice(first, layer).flatMap((l) => /: (\d+) s/.exec(l)?.[1] ?? []);
    assert.deepEqual(
      seconds,
      [...seconds].sort((a, b) => Number(b) - Number(a)),
    );
  });
});

describe("the cost of a restart", function () {
  this.timeout(120_000);
  /** Their restarts cost users nothing that the plan has a row for. */
  const WITHOUT =
    /^(Prometheus|Alertmanager) |^\S+ (monitoring|cert-manager|cnpg-system|metallb-system|local-path-storage|kube-system)\/|^Deployment (matrix|livekit)\/redis-[a-z]+-master$|^Deployment (matrix\/(element-web|synapse-admin|well-known|synapse-replacer)|livekit\/lk-jwt-service)$/;

  for (const t of [tier(1000), tier(1000, { federation: true, s3: true })])
    it(`${t.name}: is known of every workload of the stack, or none is expected`, async () => {
      const { evaluation, plan } = await evaluated(t.config);
      const kinds = (k: string): boolean =>
        ["Deployment", "StatefulSet", "DaemonSet"].includes(k) || (isOperated(k) && k !== "ObjectStore");
      const unknown = evaluation.resources
        .filter((r) => isKubernetes(r) && kindOf(r) !== "NodePatch" && kinds(kindOf(r)))
        .map(objectTitle)
        .filter((title) => !restartCost(title, plan.failures) && !WITHOUT.test(title));
      assert.deepEqual(unknown, []);
    });

  it("is asked of every object from which an operator makes pods", () =>
    assert.deepEqual(
      ["Cluster", "Pooler", "Prometheus", "Alertmanager"].filter((k) => !isOperated(k)),
      [],
    ));

  it("of a pooler is that of its pods, not of PgBouncer's own parameters", () => {
    assert.equal(
      operatedReason("Pooler", [{ path: "spec.pgbouncer.parameters.default_pool_size", to: "9" }]),
      undefined,
    );
    assert.equal(
      operatedReason("Pooler", [{ path: "spec.template.spec.containers.pgbouncer.resources.limits.memory", to: "9" }]),
      "other resources",
    );
  });

  it("of a Prometheus is none where only its configuration changes", () => {
    assert.equal(operatedReason("Prometheus", [{ path: "spec.scrapeInterval", to: "30s" }]), undefined);
    assert.equal(operatedReason("Prometheus", [{ path: "spec.retention", to: "3d" }]), "retention");
    assert.equal(operatedReason("Prometheus", [{ path: "metadata.labels.x", to: "3d" }]), undefined);
  });
});

describe("the fields of a list", () => {
  const paths = (a: unknown, b: unknown): string[] => fieldsOf(a, b).map((f) => f.path);

  it("are those of the item that comes or goes, not of those behind it", () => {
    assert.deepEqual(fieldsOf({ from: [{ a: 1 }, { a: 2 }, { a: 3 }] }, { from: [{ a: 2 }, { a: 3 }] }), [
      { path: "from.0.a", from: "1", to: undefined },
    ]);
    assert.deepEqual(fieldsOf({ args: ["x", "y"] }, { args: ["w", "x", "y"] }), [
      { path: "args.0", from: undefined, to: "w" },
    ]);
  });
  it("are shown in its place where an item changes", () =>
    assert.deepEqual(fieldsOf({ l: [{ a: 1, b: 1 }, { a: 2 }] }, { l: [{ a: 1, b: 2 }, { a: 2 }] }), [
      { path: "l.0.b", from: "1", to: "2" },
    ]));
  it("go by the names of alerts, which share one group", () =>
    assert.deepEqual(
      paths(
        {
          rules: [
            { alert: "A", expr: "1" },
            { alert: "B", expr: "2" },
          ],
        },
        {
          rules: [
            { alert: "New", expr: "0" },
            { alert: "A", expr: "1" },
            { alert: "B", expr: "3" },
          ],
        },
      ),
      ["rules.B.expr", "rules.New.alert", "rules.New.expr"],
    ));
  it("are seen in full where two items have one name", () =>
    assert.deepEqual(
      paths(
        {
          l: [
            { name: "a", v: 1 },
            { name: "a", v: 2 },
          ],
        },
        { l: [{ name: "a", v: 1 }] },
      ),
      ["l.1.name", "l.1.v"],
    ));
  it("that becomes a value, and the other way round, are both shown", () => {
    assert.deepEqual(paths({ l: ["a"] }, { l: "a" }), ["l", "l.0"]);
    assert.deepEqual(paths({ l: { a: 1 } }, { l: [2] }), ["l.0", "l.a"]);
  });
});
