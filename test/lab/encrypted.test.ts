/** Which settings of the local stack are encrypted. */
import assert from "node:assert/strict";
import { secretPaths } from "../../lab/local/encrypted";

const paths = (config: object): string[] => secretPaths(config).map((p) => p.join("/"));

describe("secret settings of the local stack", () => {
  it("are those that the schema calls so, wherever they are", () =>
    assert.deepEqual(
      paths({
        domain: "a.test",
        ssh: { port: 22, user: "root", privateKey: "k" },
        importSecrets: { formSecret: "s", databasePassword: "p" },
        hosts: [{ name: "node1", ssh: { hostKey: "ssh-ed25519 AAAA" } }],
        objectStore: { kind: "s3", endpoint: "https://s3.test", bucket: "b", accessKey: "a", secretKey: "s" },
        notASetting: { privateKey: "x" },
      }),
      [
        "ssh/privateKey",
        "importSecrets/formSecret",
        "importSecrets/databasePassword",
        "objectStore/accessKey",
        "objectStore/secretKey",
      ],
    ));

  it("may be none", () => assert.deepEqual(paths({ domain: "a.test", savedKeys: "disposable" }), []));
});
