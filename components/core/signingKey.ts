/** The homeserver's signing key: how it is made from a generated text, and its public half. Pure. */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** The public part of a signing key, as other servers see it. */
export interface PublicSigningKey {
  /** Algorithm and name: `ed25519:a_1b2c3d4e`. */
  id: string;
  /** The public half, 32 bytes in base64 without padding. */
  verifyKey: string;
}

/** The bytes of an ed25519 private key in PKCS #8 (RFC 8410, section 7) that precede the 32 bytes of the key. */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SEED_BYTES = 32;

const sha256 = (value: string | Buffer): Buffer => createHash("sha256").update(value).digest();
/** As signedjson writes base64. */
const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

function verifyKeyOf(seed: Buffer): string {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
  return unpadded(Buffer.from(createPublicKey(secret).export({ format: "jwk" }).x!, "base64url"));
}

/**
 * The line of the signing key file for a generated text: `ed25519 a_1b2c3d4e SEED`. The id is derived from the public
 * key, so that a new key gets a new name: other servers identify keys by name.
 */
export function signingKeyFrom(text: string): string {
  const seed = sha256(String(text));
  return `ed25519 a_${sha256(verifyKeyOf(seed)).toString("hex").slice(0, 8)} ${unpadded(seed)}`;
}

/** The public part of the key in a signing key file's line; undefined when the text is not such a line. */
export function publicSigningKey(line: string): PublicSigningKey | undefined {
  const match = /^ed25519 ([A-Za-z0-9_]+) ([A-Za-z0-9+/]{43})=?$/.exec(line.trim());
  const seed = match ? Buffer.from(match[2]!, "base64") : undefined;
  return match && seed?.length === SEED_BYTES ? { id: `ed25519:${match[1]}`, verifyKey: verifyKeyOf(seed) } : undefined;
}

/** Whether a text can be the public half of a key: base64 of 32 bytes, with or without padding. */
export const isVerifyKey = (text: string): boolean =>
  /^[A-Za-z0-9+/]{43}=?$/.test(text) && Buffer.from(text, "base64").length === SEED_BYTES;

/** The fingerprint of the stack's keys: `91c2-07fe-5d3a-b840`. It is made from public data only and reveals nothing. */
export function fingerprintOf(keys: {
  signingKey: PublicSigningKey;
  /** PEM of the stack's own CA, where it has one; line breaks do not matter. */
  caCertificate?: string;
}): string {
  const digest = sha256(
    `${keys.signingKey.id} ${keys.signingKey.verifyKey}\n${(keys.caCertificate ?? "").replace(/\s+/g, "")}`,
  ).toString("hex");
  // In groups: easier to read, and YAML cannot mistake a fingerprint of digits only for a number.
  return digest.slice(0, 16).match(/.{4}/g)!.join("-");
}

/** Whether a text has the form of a fingerprint. */
export const isFingerprint = (text: string): boolean => /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/.test(text);
