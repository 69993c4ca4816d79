/** The signing key: valid for any text, named after its public half, with a fingerprint that reveals nothing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { isSigningKey } from "../../components/schema/syntax/keys";
import {
  fingerprintOf,
  isFingerprint,
  isVerifyKey,
  publicSigningKey,
  signingKeyFrom,
} from "../../components/core/signingKey";

describe("the signing key", () => {
  it("has the public half that RFC 8032 gives for it (7.1, test 1)", () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex")
      .toString("base64")
      .replace(/=+$/, "");
    const verifyKey = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex")
      .toString("base64")
      .replace(/=+$/, "");
    assert.deepEqual(publicSigningKey(`ed25519 a_1 ${seed}\n`), { id: "ed25519:a_1", verifyKey });
  });

  it("is valid whatever the text, even if a mock has none; the same text gives the same key, another text another key", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const key = signingKeyFrom(a);
        assert.ok(isSigningKey(key) && publicSigningKey(key), key);
        assert.equal(signingKeyFrom(a), key);
        if (a !== b)
          assert.notEqual(
            signingKeyFrom(b).split(" ")[1],
            key.split(" ")[1],
            "other servers tell keys apart by their ids",
          );
      }),
      { numRuns: 200 },
    );
    assert.ok(isSigningKey(signingKeyFrom(undefined as any)));
  });

  it("is in neither its id nor its fingerprint", () => {
    const [, id, seed] = signingKeyFrom("some password").split(" ") as [string, string, string];
    const signingKey = publicSigningKey(`ed25519 ${id} ${seed}`)!;
    assert.ok(isVerifyKey(signingKey.verifyKey) && signingKey.verifyKey !== seed);
    // From the public half alone: it reveals only what any server may ask for.
    assert.equal(fingerprintOf({ signingKey }), fingerprintOf({ signingKey: { ...signingKey } }));
    const bytes = Buffer.from(seed, "base64").toString("hex");
    for (const shown of [id.slice(2), ...fingerprintOf({ signingKey }).split("-")]) assert.ok(!bytes.startsWith(shown));
  });

  it("has no public half if it is not valid", () => {
    for (const text of [
      "",
      "hunter2",
      "ed25519 a_1",
      `ed25519 a_1 ${"A".repeat(42)}`,
      `rsa a_1 ${"A".repeat(43)}`,
      "[encrypted by pulumi]",
    ])
      assert.equal(publicSigningKey(text), undefined, text);
  });
});

describe("the fingerprint", () => {
  const signingKey = publicSigningKey(signingKeyFrom("x"))!;
  const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

  it("differs for another key, another id, another CA or none; and no YAML reads it as a number", () => {
    const all = [
      fingerprintOf({ signingKey }),
      fingerprintOf({ signingKey: publicSigningKey(signingKeyFrom("y"))! }),
      fingerprintOf({ signingKey: { ...signingKey, id: "ed25519:a_2" } }),
      fingerprintOf({ signingKey, caCertificate: pem }),
      fingerprintOf({ signingKey, caCertificate: pem.replace("AAAA", "BBBB") }),
    ];
    assert.equal(new Set(all).size, all.length);
    for (const f of all) assert.ok(isFingerprint(f), f);
  });

  it("does not depend on how a certificate's lines are broken", () => {
    assert.equal(
      fingerprintOf({ signingKey, caCertificate: pem.replace(/\n/g, "\r\n").trim() }),
      fingerprintOf({ signingKey, caCertificate: pem }),
    );
  });
});
