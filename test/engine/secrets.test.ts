/**
 * No generated secret in any id, name, URN, output, log, event or diff: searches all output and files of the commands
 * of the other parts.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { localConfig } from "../../lab/local/config";
import { STATE } from "../../lab/local/engine";
import { kubectl } from "../../lab/local/kubectl";
import { measured } from "../../lab/proof/measured";
import { must, run, shownState, TRANSCRIPTS } from "./helpers/pulumi";
import { leaks, secretsIn, type Secret } from "./helpers/secretsOf";

function* filesIn(folder: string): Generator<[string, string]> {
  for (const e of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, e.name);
    if (e.isDirectory()) yield* filesIn(at);
    else if (e.isFile()) yield [path.basename(path.dirname(at)) + "/" + e.name, fs.readFileSync(at, "utf8")];
  }
}

describe("secrets under the engine", () => {
  let secrets: Secret[];
  before(async () => {
    // What an operator does to look closely, and what shows a diff of secrets.
    await must(["preview", "--diff", "--show-replacement-steps"], {
      sets: [
        "importSecrets.formSecret=another-form-secret-of-the-operator",
        "emailSmtp={host: smtp.example.com, from: a@example.com, user: u, password: a-password-of-the-operator}",
      ],
    });
    await must(["refresh", "--preview-only", "--diff"]);
    await must(["stack", "--show-ids", "--show-urns"]);
    await must(["stack", "output", "--json"]);
    await run(["preview", "--json"]);
    secrets = [
      ...secretsIn(shownState()),
      ...["another-form-secret-of-the-operator", "a-password-of-the-operator"].map((value) => ({
        of: "a setting",
        value,
      })),
    ];
  });

  it("are many, and known", () => {
    const of = new Set(secrets.map((s) => s.of));
    measured(`${new Set(secrets.map((s) => s.value)).size} values of ${of.size} resources`);
    // Imported ones, once the state was lost or the stack was taken down, are made by no resource.
    const made = localConfig([]).importSecrets
      ? []
      : ["secrets-signing-key", "secrets-database", "secrets-macaroon", "cluster-tls-ca-key"];
    for (const name of [
      ...made,
      "secrets-redis-synapse",
      "secrets-minio-root",
      "cluster-tls-key",
      "hosts-node1-packages",
    ])
      assert.ok(of.has(name), `${name} is among ${[...of].join(", ")}`);
    const real = kubectl(["-n", "matrix", "get", "secret", "synapse-secrets", "-o", "jsonpath={.data.signing\\.key}"]);
    assert.ok(
      secrets.some((s) => s.value === Buffer.from(real, "base64").toString().trim()),
      "the signing key is known",
    );
  });

  it("are in no file of the backend, no console, no event log, no output", () => {
    const texts = [...filesIn(STATE), ...filesIn(TRANSCRIPTS)];
    measured(`${texts.length} files, ${Math.round(texts.reduce((n, [, t]) => n + t.length, 0) / 2 ** 20)} MiB`);
    assert.ok(texts.length > 20);
    assert.deepEqual(leaks(secrets, texts), []);
  });

  it("are in no ConfigMap, event or pod of the cluster", () => {
    const texts = ["configmaps", "events", "pods", "deployments", "statefulsets", "services", "nodes", "jobs"].map(
      (kind): [string, string] => [kind, kubectl(["get", kind, "-A", "-o", "json"])],
    );
    assert.deepEqual(leaks(secrets, texts), []);
  });

  it("would be found: the search finds one that it is shown", () => {
    assert.deepEqual(leaks(secrets.slice(0, 1), [["here", `id: ${secrets[0]!.value}`]]), [
      `${secrets[0]!.of} is in here`,
    ]);
  });
});
