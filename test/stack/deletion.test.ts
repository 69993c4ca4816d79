/** A deletion that hangs is reported soon, so that a `destroy` does not wait long. */
import assert from "node:assert/strict";
import { isKubernetes } from "../../components/layers/resources";
import { DELETED_WITHIN } from "../../components/stack";
import { evaluated, tier } from "../../lab/common/tiers";

describe("the deletion of an object", () => {
  it("is given up on after five minutes, whatever its kind", async () => {
    const { evaluation } = await evaluated(tier(1_000, { federation: true }).config);
    const objects = evaluation.resources.filter(isKubernetes);
    assert.ok(objects.length > 300 && new Set(objects.map((r) => r.inputs.kind)).has("ScheduledBackup"));
    assert.deepEqual(
      objects.filter((r) => r.deletedWithin !== DELETED_WITHIN.delete).map((r) => r.name),
      [],
    );
  });
});
