/** The keys of a deployed stack are found in its state, whichever version wrote it, and nowhere else. */
import assert from "node:assert/strict";
import { keysInExport, withSigningKey } from "../../cli/keys/found";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { ALONE_SECRETS } from "../../components/domain/importableSecrets";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { realTls } from "../helpers/authority";
import { exportOf, marked, type Form } from "./helpers/fakes";

describe("keys in an export", () => {
  let evaluation: Evaluation;
  const found = (change: (state: any) => void = () => undefined, form: Form = "whole") => {
    const state = exportOf(evaluation, form);
    change(state);
    return keysInExport(JSON.stringify(state));
  };
  const object = (name: string): any =>
    evaluation.resources.find((r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === name)!.inputs.stringData;
  const at = (state: any, type: RegExp, name: RegExp): any =>
    state.deployment.resources.find((r: any) => type.test(r.type) && name.test(r.urn));

  before(async () => {
    evaluation = await evaluate({
      stack: "test",
      config: { ...exampleConfig(1000), ...WITHOUT_OPERATORS },
      generator: realTls(),
    });
  });

  for (const form of ["whole", "each", "data"] as const) {
    it(`are all there, with the Secrets kept as ${form}`, () => {
      const { keys, serverName } = found(undefined, form);
      assert.deepEqual(Object.keys(keys).sort(), [...ALONE_SECRETS].sort());
      assert.equal(keys.signingKey, object("synapse-secrets")["signing.key"].trim());
      assert.equal(keys.macaroonSecretKey, object("synapse-secrets")["macaroon-secret-key"]);
      assert.equal(keys.formSecret, object("synapse-secrets")["form-secret"]);
      assert.equal(keys.registrationSharedSecret, object("synapse-secrets")["registration-shared-secret"]);
      assert.equal(keys.turnSharedSecret, object("synapse-secrets")["turn-shared-secret"]);
      assert.equal(keys.databasePassword, object("synapse-database").password);
      assert.equal(keys.caCertificate, evaluation.outputs.caCertificate);
      assert.match(keys.caPrivateKey!, /BEGIN EC PRIVATE KEY/);
      assert.equal(serverName, "example.org");
    });
  }

  it("are also found in a state that kept the signing key as bytes whose id is their value", () => {
    const line = `ed25519 a_x1y2 ${"C".repeat(42)}A`;
    const { keys } = found((state) => {
      const resource = at(state, /RandomPassword/, /::secrets-signing-key$/);
      resource.type = "random:index/randomBytes:RandomBytes";
      resource.id = `${"C".repeat(42)}A=`;
      at(state, /core\/v1:Secret/, /synapse-secrets$/).inputs.stringData = marked({
        "signing.key": `${line}\n`,
        "macaroon-secret-key": "m".repeat(64),
      });
    });
    assert.equal(keys.signingKey, line);
  });

  it("are not taken from a resource that waits for its deletion", () => {
    const { keys } = found((state) => {
      const now = at(state, /core\/v1:Secret/, /synapse-secrets$/);
      state.deployment.resources.unshift({
        ...now,
        delete: true,
        inputs: { ...now.inputs, stringData: marked({ "signing.key": `ed25519 a_gone ${"D".repeat(42)}A` }) },
      });
      state.deployment.resources.push({
        ...now,
        delete: true,
        inputs: { ...now.inputs, stringData: marked({ "signing.key": `ed25519 a_gone ${"D".repeat(42)}A` }) },
      });
    });
    assert.doesNotMatch(keys.signingKey!, /a_gone/);
  });

  it("are found with a CA that has not signed anything yet, and without a CA", () => {
    const pem = at(exportOf(evaluation), /LocallySignedCert/, /./).inputs.caCertPem;
    const unsigned = found((state) => {
      state.deployment.resources = state.deployment.resources.filter((r: any) => !r.type.includes("locallySignedCert"));
      at(state, /PrivateKey/, /-ca-key$/).outputs = { privateKeyPem: marked("its key") };
      at(state, /SelfSignedCert/, /-ca$/).outputs = { certPem: pem };
    });
    assert.deepEqual([unsigned.keys.caPrivateKey, unsigned.keys.caCertificate], ["its key", pem]);
    const none = found((state) => {
      state.deployment.resources = state.deployment.resources.filter((r: any) => !r.type.startsWith("tls:"));
    });
    assert.ok(!("caPrivateKey" in none.keys) && !("caCertificate" in none.keys));
  });

  describe("says what is wrong with", () => {
    const CASES: Array<[string, (state: any) => void, RegExp]> = [
      [
        "an export without its secrets",
        (s) => {
          at(s, /core\/v1:Secret/, /synapse-secrets$/).inputs.stringData = {
            "4dabf18193072939515e22adb298388d": "x",
            ciphertext: "AAAA",
          };
        },
        /encrypted.*pulumi stack export --show-secrets/,
      ],
      [
        "JSON that is not an export",
        (s) => {
          delete s.deployment;
        },
        /not an export of a stack/,
      ],
    ];
    for (const [what, change, says] of CASES)
      it(what, () => {
        assert.throws(() => found(change), says);
      });

    it("an export that is not JSON", () => {
      assert.throws(() => keysInExport("hello"), /not JSON/);
    });
    it("a state without a signing key, and with a broken one", () => {
      assert.throws(
        () => withSigningKey(keysInExport(JSON.stringify({ deployment: {} })).keys, "this state"),
        /no signing key in this state.*synapse-secrets/,
      );
      assert.throws(
        () => withSigningKey({ signingKey: "hunter2hunter2" }, "this state"),
        (e: Error) => /The signing key in this state is not valid/.test(e.message) && !/hunter2/.test(e.message),
      );
    });
  });
});
