/** What a provider cannot change in place is called a replacement, though no provider was asked. */
import assert from "node:assert/strict";
import { asProvidersDo } from "../../scripts/preview/replacements";
import { change } from "./helpers/reports";

const CASES: Array<[title: string, path: string, action: "update" | "replace"]> = [
  ["RandomPassword secrets-form", "length", "replace"], ["RandomPassword secrets-form", "protect", "update"], ["SelfSignedCert ca", "validityPeriodHours", "replace"], ["SelfSignedCert ca", "earlyRenewalHours", "update"],
  ["Command hosts-a-disks", "triggers.0", "replace"], ["Command hosts-a-firewall", "update", "update"],
  ["StatefulSet minio/minio", "spec.volumeClaimTemplates.0.spec.resources.requests.storage", "replace"], ["StatefulSet minio/minio", "spec.template.spec.containers.minio.image", "update"], ["StatefulSet minio/minio", "spec.replicas", "update"],
  ["PersistentVolumeClaim a/b", "spec.storageClassName", "replace"], ["PersistentVolumeClaim a/b", "spec.resources.requests.storage", "update"],
  ["StorageClass local", "parameters.type", "replace"], ["RoleBinding a/b", "roleRef.name", "replace"], ["Service a/b", "spec.clusterIP", "replace"], ["Service a/b", "spec.clusterIPs.0", "update"], ["Secret a/b", "type", "replace"],
  ["Cluster matrix/synapse-postgres", "spec.instances", "update"], ["Cluster matrix/synapse-postgres", "metadata.name", "replace"],
];

describe("without a state, a changed", () => {
  for (const [title, path, action] of CASES) {
    it(`${path} of ${title.split(" ")[0]} is ${action === "replace" ? "a replacement" : "an update"}`, () =>
      assert.equal(asProvidersDo([change("x", "update", title, { fields: [{ path, from: "1", to: "2" }] })])[0]!.action, action));
  }
  it("creation and a deletion stay what they are", () =>
    assert.deepEqual((["create", "delete"] as const).map((a) => asProvidersDo([change("x", a, "RandomPassword p", { fields: [{ path: "length" }] })])[0]!.action), ["create", "delete"]));
});
