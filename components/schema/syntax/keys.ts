/** Keys and certificates, looked at as far as their form goes. No value ever leaves these functions. */
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

/** Stands for an encrypted value that only the Pulumi engine can read; passes wherever a secret is expected. */
export const SECRET_PLACEHOLDER = "[encrypted by pulumi]";
export const isPlaceholder = (value: unknown): boolean => value === SECRET_PLACEHOLDER;

/** A public host key as known_hosts and ssh-keyscan print it: type, base64, perhaps a comment. */
export function hostKeyProblem(text: string): string | undefined {
  const [type, base64] = text.trim().split(/\s+/);
  if (!/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/.test(type ?? "")) return "its first word is no key type";
  if (!base64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return "its second word is not base64";
  const blob = Buffer.from(base64, "base64");
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  if (blob.subarray(4, 4 + length).toString("latin1") !== type) return `the key inside is not of type ${type}`;
  if (type === "ssh-ed25519" && (blob.length !== 51 || blob.readUInt32BE(15) !== 32))
    return "an ed25519 key is 51 bytes, this one is cut or has too many";
  if (blob.length < 51) return "the key is cut off";
  return undefined;
}

/** A private key that SSH can use without being asked for a passphrase. */
export function sshPrivateKeyProblem(text: string): string | undefined {
  const match = /^-----BEGIN ([A-Z ]*PRIVATE KEY)-----\r?\n([\s\S]+?)\r?\n-----END \1-----\s*$/.exec(text.trim());
  if (!match) return "it is not a whole PEM block (BEGIN ... PRIVATE KEY to END ...)";
  if (match[1] !== "OPENSSH PRIVATE KEY")
    return privateKey(text)
      ? undefined
      : encryptedPem(text)
        ? "it is protected by a passphrase"
        : "the block cannot be read as a key";
  const blob = Buffer.from(match[2].replace(/\s/g, ""), "base64");
  if (blob.subarray(0, 15).toString("latin1") !== "openssh-key-v1\0")
    return "the block cannot be read as an OpenSSH key";
  return blob.subarray(19, 19 + blob.readUInt32BE(15)).toString("latin1") === "none"
    ? undefined
    : "it is protected by a passphrase";
}

const encryptedPem = (text: string): boolean => /ENCRYPTED/.test(text);

export function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** The certificates of a PEM chain in their order; undefined when a block cannot be read or there is none. */
export function certificateChain(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (!blocks) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** Synapse's signing key as signedjson writes it: algorithm, key id, base64 of 32 bytes without padding. */
export const isSigningKey = (text: string): boolean =>
  /^ed25519 a_[A-Za-z0-9]{1,32} [A-Za-z0-9+/]{43}=?$/.test(text.trim()) &&
  Buffer.from(text.trim().split(" ")[2], "base64").length === 32;

/**
 * Whether coturn reads a line `static-auth-secret=` with this as everybody else reads the value. It skips blanks and
 * equals signs before a value, takes a quote away from its beginning, blanks from its end, and what is longer than its
 * buffer of 1024 bytes for another line (read_config_file in src/apps/relay/mainrelay.c).
 */
export const isTurnSecret = (text: string): boolean =>
  text.length >= 8 && Buffer.byteLength(text) <= 512 && !/^[\s="]|\s$|\p{Cc}/u.test(text);

/**
 * A well-formed host key that no machine has, for plans without machines and for examples: the same for the same name.
 */
export function exampleHostKey(name: string): string {
  const type = Buffer.from("ssh-ed25519");
  const length = (n: number): Buffer => Buffer.from([0, 0, 0, n]);
  return `ssh-ed25519 ${Buffer.concat([length(type.length), type, length(32), createHash("sha256").update(name).digest()]).toString("base64")}`;
}
