/** Against a state, the engine's events give the operations; restarts and their reasons are derived from them. */
import assert from "node:assert/strict";
import { PulumiEvents } from "../../lab/engine/events";
import { changesOfEvents } from "../../scripts/preview/engineChanges";

const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const urn = (layer: string, type: string, name: string): string =>
  `urn:pulumi:s::matrix-ha::matrix-ha:stack:MatrixStack$matrix-ha:${layer}:Component$${type}::${name}`;
const state = (inputs: object): object => ({ custom: true, inputs });
interface Resource {
  layer: string;
  type: string;
  name: string;
}
/** @param more of the event, beside the inputs. */
const step = (
  op: string,
  { layer, type, name }: Resource,
  { before, after }: { before?: object; after?: object },
  more: object = {},
): object => ({
  resourcePreEvent: {
    metadata: {
      op,
      urn: urn(layer, type, name),
      type,
      old: before && state(before),
      new: after && state(after),
      ...more,
    },
  },
});
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const PASSWORD: Resource = { layer: "postgres", type: "random:index/randomPassword:RandomPassword", name: "db" };
const secret = { kind: "Secret", metadata: { name: "s", namespace: "matrix" }, stringData: SECRET };
const deployment = (name: string, image: string): object => ({
  kind: "Deployment",
  metadata: { name, namespace: "matrix" },
  spec: { template: { spec: { containers: [{ name: "c", image }] } } },
});

describe("the engine's events", () => {
  const { operations, changes } = changesOfEvents(
    new PulumiEvents(
      [
        step(
          "same",
          { layer: "synapse", type: DEPLOYMENT, name: "quiet" },
          { before: deployment("quiet", "1"), after: deployment("quiet", "1") },
        ),
        step(
          "update",
          { layer: "router", type: DEPLOYMENT, name: "haproxy" },
          { before: deployment("haproxy", "1"), after: deployment("haproxy", "2") },
          { detailedDiff: { "spec.template": {} } },
        ),
        step(
          "create",
          { layer: "synapse", type: "kubernetes:core/v1:ConfigMap", name: "new" },
          { after: { kind: "ConfigMap", metadata: { name: UNKNOWN, namespace: "matrix" } } },
        ),
        step("create-replacement", PASSWORD, { before: { length: 32 }, after: { length: 40 } }),
        step("replace", PASSWORD, { before: { length: 32 }, after: { length: 40 } }),
        step("delete-replaced", PASSWORD, { before: { length: 32 } }),
        step(
          "update",
          { layer: "secrets", type: "kubernetes:core/v1:Secret", name: "s" },
          { before: secret, after: secret },
          { diffs: ["stringData"] },
        ),
        step(
          "delete",
          { layer: "hosts", type: "kubernetes:core/v1:NodePatch", name: "n" },
          { before: { kind: "Node", metadata: { name: "db-1" } } },
        ),
        step(
          "update",
          { layer: "cluster", type: "pulumi:providers:kubernetes", name: "cluster" },
          { before: { kubeconfig: "a" }, after: { kubeconfig: "b" } },
        ),
        {
          resourcePreEvent: {
            metadata: {
              op: "create",
              urn: urn("web", "matrix-ha:web:Component", "web"),
              type: "matrix-ha:web:Component",
              new: { custom: false, inputs: {} },
            },
          },
        },
        { summaryEvent: { resourceChanges: { same: 1, update: 3, create: 2, replace: 1, delete: 1 } } },
      ]
        .map((e) => JSON.stringify(e))
        .join("\n"),
    ),
  );

  it("become one change for each resource, in the order of the layers; components and providers are none", () =>
    assert.deepEqual(
      changes.map((c) => `${c.layer} ${c.action} ${c.title}`),
      [
        "hosts delete NodePatch db-1",
        "secrets update Secret matrix/s",
        "postgres replace RandomPassword db",
        "synapse create ConfigMap matrix/(known when deployed)",
        "router update Deployment matrix/haproxy",
      ],
    ));
  it("tell what restarts, and why", () =>
    assert.deepEqual(
      changes.filter((c) => c.restarts).map((c) => [c.title, c.restarts]),
      [["Deployment matrix/haproxy", "new image 2"]],
    ));
  it("tell fields, and of a secret only where it changed", () => {
    assert.deepEqual(changes[2]!.fields, [{ path: "length", from: "32", to: "40" }]);
    assert.deepEqual(changes[1]!.fields, [{ path: "stringData", from: "(secret)", to: "(secret)" }]);
  });
  it("bring the engine's own count", () => assert.equal(operations.update, 3));
});
