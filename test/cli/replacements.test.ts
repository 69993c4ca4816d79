/** A change that a provider cannot make in place is shown as a replacement, although no provider was asked. */
import assert from "node:assert/strict";
import { compare } from "../../cli/diff";
import type { Evaluation, RegisteredResource } from "../../cli/evaluate";
import { replaces } from "../../cli/replacements";

const CASES: Array<[title: string, path: string, action: "update" | "replace"]> = [
  ["RandomPassword secrets-form", "length", "replace"],
  ["RandomPassword secrets-form", "protect", "update"],
  ["SelfSignedCert ca", "validityPeriodHours", "replace"],
  ["SelfSignedCert ca", "earlyRenewalHours", "update"],
  ["Command hosts-a-disks", "triggers.0", "replace"],
  ["Command hosts-a-firewall", "update", "update"],
  ["StatefulSet minio/minio", "spec.volumeClaimTemplates.0.spec.resources.requests.storage", "replace"],
  ["StatefulSet minio/minio", "spec.template.spec.containers.minio.image", "update"],
  ["StatefulSet minio/minio", "spec.replicas", "update"],
  ["PersistentVolumeClaim a/b", "spec.storageClassName", "replace"],
  ["PersistentVolumeClaim a/b", "spec.resources.requests.storage", "update"],
  ["StorageClass local", "parameters.type", "replace"],
  ["RoleBinding a/b", "roleRef.name", "replace"],
  ["Service a/b", "spec.clusterIP", "replace"],
  ["Service a/b", "spec.clusterIPs.0", "update"],
  ["Secret a/b", "type", "replace"],
  ["Cluster matrix/synapse-postgres", "spec.instances", "update"],
  ["Cluster matrix/synapse-postgres", "metadata.name", "replace"],
];

describe("without a state, a changed", () => {
  for (const [title, path, action] of CASES) {
    it(`${path} of ${title.split(" ")[0]} is ${action === "replace" ? "a replacement" : "an update"}`, () =>
      assert.equal(replaces(title.split(" ")[0]!, path), action === "replace"));
  }
  const request = (privateKeyPem: string): Evaluation => ({
    outputs: {},
    resources: [
      {
        urn: "urn:pulumi:s::matrix-ha::tls:index/certRequest:CertRequest::r",
        type: "tls:index/certRequest:CertRequest",
        name: "r",
        layer: "cluster",
        custom: true,
        inputs: { privateKeyPem },
        secretPaths: ["privateKeyPem"],
        dependencies: [],
        named: [],
        protect: false,
        retainOnDelete: false,
        additionalSecretOutputs: [],
      } satisfies RegisteredResource,
    ],
  });
  it("secret input of a generated value is a replacement, although it is not shown", () =>
    assert.deepEqual(
      compare(request("a"), request("b")).map((c) => [c.action, c.title, c.fields[0]!.from]),
      [["replace", "CertRequest r", "(secret)"]],
    ));
});
