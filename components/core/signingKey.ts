/** The homeserver's signing key: made from a generated text, read, and what of it is public. Pure. */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** What everybody may know of a signing key, as other servers see it. */
export interface PublicSigningKey {
  /** `ed25519:a_1b2c3d4e` */
  id: string;
  /** The public half, 32 bytes in base64 without padding. */
  verifyKey: string;
}

/** An ed25519 private key in PKCS #8 (RFC 8410, section 7) up to its 32 bytes. */
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
 * The line of a signing key file that a generated text makes: `ed25519 a_1b2c3d4e SEED`. Its id comes from the public
 * key, so that a new key has a new name, which other servers tell keys apart by.
 */
export function signingKeyFrom(text: string): string {
  const seed = sha256(String(text));
  return `ed25519 a_${sha256(verifyKeyOf(seed)).toString("hex").slice(0, 8)} ${unpadded(seed)}`;
}

/** The public half of a signing key file's line; undefined where it is none. */
export function publicSigningKey(line: string): PublicSigningKey | undefined {
  const match = /^ed25519 ([A-Za-z0-9_]+) ([A-Za-z0-9+/]{43})=?$/.exec(line.trim());
  const seed = match ? Buffer.from(match[2]!, "base64") : undefined;
  return match && seed?.length === SEED_BYTES ? { id: `ed25519:${match[1]}`, verifyKey: verifyKeyOf(seed) } : undefined;
}

/** Whether a text can be the public half of a key: base64 of 32 bytes, with padding or without. */
export const isVerifyKey = (text: string): boolean =>
  /^[A-Za-z0-9+/]{43}=?$/.test(text) && Buffer.from(text, "base64").length === SEED_BYTES;

/** What the stack's keys are known by. From public data only: it says which keys they are, and nothing about them. */
export function fingerprintOf(keys: {
  signingKey: PublicSigningKey;
  /** PEM of the stack's own CA. */ caCertificate?: string;
}): string {
  const digest = sha256(
    `${keys.signingKey.id} ${keys.signingKey.verifyKey}\n${(keys.caCertificate ?? "").replace(/\s+/g, "")}`,
  ).toString("hex");
  // In groups: for eyes, and so that no YAML takes one of digits alone for a number.
  return digest.slice(0, 16).match(/.{4}/g)!.join("-");
}

export const isFingerprint = (text: string): boolean => /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/.test(text);
