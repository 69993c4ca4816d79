/** Checks the form of keys and certificates. The functions never return or print a secret value. */
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

/** Replaces an encrypted value that only the Pulumi engine can read; valid wherever a secret is expected. */
export const SECRET_PLACEHOLDER = "[encrypted by pulumi]";
export const isPlaceholder = (value: unknown): boolean => value === SECRET_PLACEHOLDER;

/**
 * What is wrong with a public host key in the form of known_hosts and ssh-keyscan: type, base64, optional comment.
 * undefined when it is valid.
 */
export function hostKeyProblem(text: string): string | undefined {
  const [type, base64] = text.trim().split(/\s+/);
  if (!/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/.test(type ?? ""))
    return "its first word is not a known key type";
  if (!base64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return "its second word is not base64";
  const blob = Buffer.from(base64, "base64");
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  if (blob.subarray(4, 4 + length).toString("latin1") !== type) return `the key inside is not of type ${type}`;
  if (type === "ssh-ed25519" && (blob.length !== 51 || blob.readUInt32BE(15) !== 32))
    return `an ed25519 key has 51 bytes, this one has ${blob.length}`;
  if (blob.length < 51) return "the key is incomplete";
  return undefined;
}

/** What is wrong with an SSH private key, which must not have a passphrase; undefined when it is valid. */
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
  // The magic word, and the length of the cipher's name; a block that was cut short may end before it.
  if (blob.subarray(0, 15).toString("latin1") !== "openssh-key-v1\0" || blob.length < 19)
    return "the block cannot be read as an OpenSSH key";
  return blob.subarray(19, 19 + blob.readUInt32BE(15)).toString("latin1") === "none"
    ? undefined
    : "it is protected by a passphrase";
}

const encryptedPem = (text: string): boolean => /ENCRYPTED/.test(text);

/** Reads a PEM private key; undefined when that is not possible, for example because it has a passphrase. */
export function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** The certificates of a PEM chain in their order; undefined when there are none or one cannot be read. */
export function certificateChain(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (!blocks) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/**
 * Whether a text is a line of Synapse's signing key file: algorithm, the key's name, base64 of 32 bytes. Synapse names
 * keys a_ and four letters; the Helm charts name them 0 or 1, old versions `auto`.
 */
export const isSigningKey = (text: string): boolean =>
  /^ed25519 [A-Za-z0-9_]{1,64} [A-Za-z0-9+/]{43}=?$/.test(text.trim()) &&
  Buffer.from(text.trim().split(" ")[2], "base64").length === 32;

/**
 * Whether coturn reads a line `static-auth-secret=` with this as every other program reads the value. It skips blanks
 * and equals signs before a value, drops a quote at its beginning and blanks at its end, and takes what exceeds its
 * buffer of 1024 bytes for another line (read_config_file in src/apps/relay/mainrelay.c).
 */
export const isTurnSecret = (text: string): boolean =>
  text.length >= 8 && Buffer.byteLength(text) <= 512 && !/^[\s="]|\s$|\p{Cc}/u.test(text);

/** A valid host key that no machine has, for plans without machines and for examples. Each name has its own. */
export function exampleHostKey(name: string): string {
  const type = Buffer.from("ssh-ed25519");
  const length = (n: number): Buffer => Buffer.from([0, 0, 0, n]);
  return `ssh-ed25519 ${Buffer.concat([length(type.length), type, length(32), createHash("sha256").update(name).digest()]).toString("base64")}`;
}
