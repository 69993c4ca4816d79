/** A comparison sees that a secret changed, and writes none down. */
import assert from "node:assert/strict";
import { compare } from "../../cli/diff";
import type { Evaluation, RegisteredResource } from "../../cli/evaluate";
import { objectTitle } from "../../components/layers/resources";
import { withDigests, withoutColours, withoutSecrets } from "../../scripts/preview/hide";

const resource = (type: string, name: string, inputs: any, secretPaths: string[] = []): RegisteredResource => ({
  urn: `urn:pulumi:s::matrix-ha::${type}::${name}`,
  type,
  name,
  layer: "synapse",
  custom: true,
  inputs,
  secretPaths,
  dependencies: [],
  named: [],
  protect: false,
  retainOnDelete: false,
  additionalSecretOutputs: [],
});
const PASSWORD = "hunter2-hunter2";
const evaluation = (password: string): Evaluation => ({
  outputs: { password },
  resources: [
    resource("kubernetes:core/v1:Secret", "a", {
      kind: "Secret",
      metadata: { name: "a", namespace: "matrix" },
      stringData: { password },
    }),
    resource(
      "command:remote:Command",
      "b",
      { create: "echo", stdin: password, connection: { host: "h", privateKey: password } },
      ["stdin", "connection.privateKey"],
    ),
    resource("kubernetes:core/v1:NodePatch", "c", { kind: "Node", metadata: { name: "db-1", labels: { a: "b" } } }),
  ],
});

describe("secrets in a preview", () => {
  it("are not in the files of an evaluation, which do not allow guessing them either", () => {
    const text = JSON.stringify(withDigests(evaluation(PASSWORD), "key"));
    assert.ok(!text.includes(PASSWORD));
    assert.ok(text.includes(`"host":"h"`), "all else is");
    assert.notEqual(text, JSON.stringify(withDigests(evaluation(PASSWORD), "another run's key")));
  });
  it("equal secrets are not a change; a changed one is, without its value", () => {
    assert.deepEqual(compare(withDigests(evaluation(PASSWORD), "k"), withDigests(evaluation(PASSWORD), "k")), []);
    const changes = compare(withDigests(evaluation(PASSWORD), "k"), withDigests(evaluation("another"), "k"));
    assert.deepEqual(
      changes.map((c) => c.title),
      ["Command b", "Secret matrix/a"],
    );
    assert.deepEqual(
      changes.map((c) => c.fields),
      [1, 2].map(() => [{ path: "(a secret value)", from: "(secret)", to: "(secret)" }]),
    );
  });
  it("a patch is called one", () =>
    assert.equal(objectTitle(withDigests(evaluation("x"), "k").resources[2]!), "NodePatch db-1"));
  it("messages lose keys, what the environment keeps secret, and colours", () => {
    const env = {
      PULUMI_CONFIG_PASSPHRASE: "a long passphrase",
      AWS_SECRET_ACCESS_KEY: "abcdefgh12345678",
      GITHUB_TOKEN: "short",
      PATH: "/usr/bin:/bin",
    };
    assert.equal(
      withoutSecrets("with a long passphrase and abcdefgh12345678 in /usr/bin:/bin; short", env),
      "with (secret) and (secret) in /usr/bin:/bin; short",
    );
    assert.equal(
      withoutSecrets("x -----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY----- y", {}),
      "x (secret) y",
    );
    assert.equal(withoutSecrets("cut off: -----BEGIN EC PRIVATE KEY-----\nabc", {}), "cut off: (secret)");
    assert.equal(withoutColours("<{%fg 1%}>error:<{%reset%}> \x1b[31mx\x1b[0m"), "error: x");
  });
});
