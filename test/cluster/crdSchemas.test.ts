import assert from "node:assert/strict";
import { crdProblems } from "../helpers/crdSchemas";

const cluster = (spec: object): object => ({
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Cluster",
  metadata: { name: "x" },
  spec,
});

describe("validation against the operators' definitions", () => {
  it("accepts valid objects", () =>
    assert.deepEqual(crdProblems(cluster({ instances: 3, storage: { size: "1Gi" } })), []));
  it("notices a field that does not exist, which the API server would drop", () =>
    assert.match(
      crdProblems(cluster({ instances: 3, storage: { size: "1Gi" }, failoverQuorum: true }))!.join(),
      /failoverQuorum/,
    ));
  it("notices a value outside an enumeration, deep inside", () =>
    assert.match(
      crdProblems(
        cluster({ instances: 3, postgresql: { synchronous: { method: "any", number: 1, dataDurability: "always" } } }),
      )!.join(),
      /dataDurability/,
    ));
  it("notices a wrong type and a missing field", () => {
    assert.match(crdProblems(cluster({ instances: "3" }))!.join(), /instances must be integer/);
    assert.match(crdProblems(cluster({}))!.join(), /instances/);
  });
  it("skips kinds without a definition", () =>
    assert.equal(crdProblems({ apiVersion: "example.org/v1", kind: "Cluster" }), undefined));
});
