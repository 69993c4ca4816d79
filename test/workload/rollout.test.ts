import assert from "node:assert/strict";
import { rolledOut } from "../../components/core/workload";
import { applySets } from "../../components/settings/stackFile";
import { exampleConfig } from "../../cli/exampleStack";
import { evaluated } from "../../lab/common/tiers";

const WAIT = "pulumi.com/waitFor";

describe("a workload counts as rolled out when every pod is of the new revision", () => {
  it("every Deployment and StatefulSet of the stack says so", async () => {
    const { evaluation } = await evaluated(exampleConfig(1000));
    const of = (kind: string): any[] => evaluation.resources.filter((r) => r.inputs?.kind === kind);
    assert.ok(of("Deployment").length > 15 && of("StatefulSet").length > 8);
    for (const r of of("Deployment"))
      assert.equal(r.inputs.metadata.annotations[WAIT], rolledOut("Deployment")[WAIT], r.name);
    for (const r of of("StatefulSet"))
      assert.deepEqual(
        JSON.parse(r.inputs.metadata.annotations[WAIT]),
        [
          `jsonpath={.status.updatedReplicas}=${r.inputs.spec.replicas}`,
          `jsonpath={.status.readyReplicas}=${r.inputs.spec.replicas}`,
        ],
        r.name,
      );
  });

  it("the rollout of a stopped Synapse ends at once: a status has no count of zero pods", async () => {
    const { evaluation } = await evaluated(applySets(exampleConfig(1000), ["stopSynapse=true"]));
    const stopped = evaluation.resources.filter(
      (r) => r.inputs?.kind === "StatefulSet" && r.inputs.spec.replicas === 0,
    );
    assert.ok(stopped.length > 5);
    for (const r of stopped) assert.equal(r.inputs.metadata.annotations[WAIT], undefined, r.name);
  });
});
