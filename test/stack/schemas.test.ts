/**
 * Every object of every tier against the schema of its own kind: the API server would drop or refuse what is not in it.
 */
import assert from "node:assert/strict";
import { crdProblems } from "../helpers/crdSchemas";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";
import { evaluated, tier, TIERS } from "../../lab/common/tiers";

/** The definition of a schema is validated by Kubernetes' own schema for definitions; no kind is left out. */
const problemsOf = (inputs: any): string[] =>
  kubernetesProblems(inputs) ?? crdProblems(inputs) ?? [`no schema for ${inputs.apiVersion} ${inputs.kind}`];

describe("schemas of the manifests' own kinds", () => {
  for (const t of TIERS) {
    it(t.name, async () => {
      const { subject } = await evaluated(t.config);
      // Written with numbers as they are: a patch of a Node is validated as what it patches.
      const found = subject.objects.flatMap((o) =>
        problemsOf(o.inputs).map((p) => `${o.kind} ${o.namespace}/${o.name}: ${p}`),
      );
      assert.deepEqual(found, []);
    });
  }

  it("notices a field that does not exist, in a kind of Kubernetes and in one of an operator", async () => {
    const { subject } = await evaluated(tier(1000).config);
    for (const kind of [
      "Deployment",
      "Service",
      "NetworkPolicy",
      "Cluster",
      "PodMonitor",
      "Prometheus",
      "IPAddressPool",
    ]) {
      const broken = structuredClone(subject.objects.find((o) => o.kind === kind)!.inputs);
      broken.spec.noSuchField = true;
      assert.match(problemsOf(broken).join(), /noSuchField/, kind);
    }
  });
  it("knows only defined kinds", () => {
    assert.match(problemsOf({ apiVersion: "example.org/v1", kind: "Nothing" }).join(), /no schema/);
  });
});
