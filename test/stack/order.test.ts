/** What comes after what: everything that it must, and by so few paths that the engine can walk them all. */
import assert from "node:assert/strict";
import { DESTROY_GUARD } from "../../components/keys/DestroyGuard";
import type { RegisteredResource } from "../../cli/evaluate";
import { readStackConfig, stackNames } from "../../components/settings/stackFile";
import { evaluated } from "../../lab/common/tiers";

/**
 * The engine walks about 3 million in a second (1.0 s for 3,000,000 and 268 s unfinished for 10^11, with 3.248 on one
 * core).
 */
const MOST_PATHS = 100_000_000;

describe("the order of the stack", () => {
  for (const stack of stackNames()) {
    it(`Pulumi.${stack}.yaml: few enough paths from the last resources to the first, for the engine to walk each`, async () => {
      const { resources } = (await evaluated(readStackConfig(stack), stack)).evaluation;
      const custom = new Map(resources.filter((r) => r.custom).map((r) => [r.urn, r]));
      const counts = new Map<string, number>();
      const paths = (r: RegisteredResource): number => {
        const known = counts.get(r.urn);
        if (known !== undefined) return known;
        const n = 1 + r.named.reduce((sum, d) => sum + (custom.has(d) ? paths(custom.get(d)!) : 0), 0);
        counts.set(r.urn, n);
        return n;
      };
      const most = [...custom.values()]
        .map((r): [string, number] => [r.name, paths(r)])
        .sort((a, b) => b[1] - a[1])
        .slice(0, 3);
      assert.ok(most[0]![1] < MOST_PATHS, most.map(([name, n]) => `${name}: ${n.toExponential(1)}`).join(", "));
      assert.equal(most[0]![0], DESTROY_GUARD, "the guard comes after everything");
    });
  }

  it("pods come after their namespace, their operator's webhooks and the data that they need", async () => {
    const { resources } = (await evaluated(readStackConfig("small"), "small")).evaluation;
    const byUrn = new Map(resources.map((r) => [r.urn, r]));
    const before = (r: RegisteredResource, into = new Set<string>()): Set<string> => {
      // Also what its component waits for: a child is registered after it.
      for (const d of r.dependencies)
        if (!into.has(d)) {
          into.add(d);
          before(byUrn.get(d)!, into);
        }
      return into;
    };
    const named = (name: string): RegisteredResource => resources.find((r) => r.name === name)!;
    const comesAfter = (name: string, earlier: string): void =>
      assert.ok(before(named(name)).has(named(earlier).urn), `${name} comes after ${earlier}`);
    comesAfter("synapse-main-statefulset", "postgres-pooler");
    comesAfter("synapse-main-statefulset", "redis-synapse-servers-statefulset");
    comesAfter("synapse-main-statefulset", "objectstore-minio-provision");
    comesAfter("synapse-main-statefulset", "synapse-check-config");
    comesAfter("synapse-synchrotron-deployment", "synapse-event-persister-statefulset");
    comesAfter("postgres-cluster", "cluster-cloudnative-pg-deployment-cnpg-system-cnpg-controller-manager");
    comesAfter("ingress-homeserver", "synapse-main-statefulset");
    for (const r of resources.filter(
      (x) => x.inputs?.metadata?.namespace && named(`cluster-namespace-${x.inputs.metadata.namespace}`),
    )) {
      assert.ok(
        before(r).has(named(`cluster-namespace-${r.inputs.metadata.namespace}`).urn),
        `${r.name} comes after its namespace`,
      );
    }
  });
});
