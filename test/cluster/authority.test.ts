/** A CA that clients already trust keeps signing. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { authority, realTls, type Authority } from "../helpers/authority";

const certificatesOf = (e: Evaluation): X509Certificate[] => {
  const secret = e.resources.find((r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === "matrix-ha-tls")!;
  return (secret.inputs.stringData["tls.crt"] as string)
    .match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g)!
    .map((pem) => new X509Certificate(pem));
};
const stack = (importSecrets: object): Promise<Evaluation> =>
  evaluate({
    stack: "test",
    config: { ...exampleConfig(1000), ...WITHOUT_OPERATORS, importSecrets },
    generator: realTls(),
  });

describe("the stack's own CA", () => {
  let ca: Authority;
  before(async () => {
    ca = await authority();
  });

  it("imported: it signs the server's certificate, clients are told to trust it, and no other is created", async () => {
    const e = await stack({ caPrivateKey: ca.privateKey, caCertificate: ca.certificate });
    const [leaf, root] = certificatesOf(e) as [X509Certificate, X509Certificate];
    const given = new X509Certificate(ca.certificate);
    assert.ok(leaf.verify(given.publicKey), "signed by the imported key");
    assert.equal(root.fingerprint256, given.fingerprint256);
    for (const name of ["matrix.example.org", "chat.example.org"]) assert.ok(leaf.checkHost(name), name);
    assert.equal(e.outputs.caCertificate, ca.certificate);
    for (const r of e.resources.filter((x) => x.inputs?.kind === "ConfigMap" && x.inputs.data?.["ca.crt"]))
      assert.equal(r.inputs.data["ca.crt"], ca.certificate, r.name);
    assert.deepEqual(
      e.resources.filter((r) => /SelfSignedCert/.test(r.type) || /-ca-key$/.test(r.name)).map((r) => r.name),
      [],
    );
  });

  it("a missing last line break, as after a pipe, changes nothing: it is the same certificate", async () => {
    const piped = await stack({ caPrivateKey: ca.privateKey.trim(), caCertificate: ca.certificate.trim() });
    const { caPrivateKeyPem, caCertPem } = piped.resources.find((r) => r.type.includes("locallySignedCert"))!.inputs;
    assert.deepEqual(
      [caPrivateKeyPem, caCertPem, piped.outputs.caCertificate],
      [ca.privateKey, ca.certificate, ca.certificate],
    );
  });

  it("generated if none is given: its key is protected and signs", async () => {
    const e = await stack({});
    const [leaf, root] = certificatesOf(e) as [X509Certificate, X509Certificate];
    assert.ok(leaf.verify(root.publicKey) && root.ca);
    assert.equal(e.resources.find((r) => /-ca-key$/.test(r.name))?.protect, true);
  });

  it("its certificate is part of the keys' fingerprint", async () => {
    const [one, other] = [await stack({}), await stack({ caPrivateKey: ca.privateKey, caCertificate: ca.certificate })];
    assert.equal(one.outputs.signingKey.verifyKey, other.outputs.signingKey.verifyKey);
    assert.notEqual(one.outputs.signingKey.fingerprint, other.outputs.signingKey.fingerprint);
  });
});
