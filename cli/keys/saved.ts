/** The file of saved keys: its text, and the part that may be shown. Pure. */
import { identityOf, type Identity } from "../../components/core/identity";
import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../components/domain/importableSecrets";
import { Refused } from "../arguments";
import type { Keys } from "./found";

export interface Saved {
  keys: Keys;
  serverName?: string;
  /** RFC 3339. */ savedAt: string;
}

const WHAT = "Keys of a Matrix homeserver, in plain text: anyone who has this file can impersonate that server.";

export const identityOfKeys = (keys: Keys): Identity => {
  const identity = identityOf(keys);
  if (!identity) throw new Refused("The signing key cannot be read: `ed25519 NAME BASE64` is expected.");
  return identity;
};

export function savedText({ keys, serverName, savedAt }: Saved): string {
  const ordered = Object.fromEntries(
    IMPORTABLE_SECRETS.filter((name) => keys[name] !== undefined).map((name) => [name, keys[name]]),
  );
  return `${JSON.stringify({ what: WHAT, version: 1, ...(serverName ? { serverName } : {}), fingerprint: identityOfKeys(keys).fingerprint, savedAt, keys: ordered }, null, 2)}\n`;
}

/** Refuses other files and damaged ones: better now than when the server comes up with another identity. */
export function readSaved(text: string): Saved {
  let file: any;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Refused("`npm run keys -- save` did not write this file: it is not JSON.");
  }
  if (file?.version !== 1 || typeof file.keys?.signingKey !== "string")
    throw new Refused("`npm run keys -- save` did not write this file: it lacks version 1 or keys.");
  const unknown = Object.entries(file.keys)
    .filter(([name, value]) => !IMPORTABLE_SECRETS.includes(name as ImportableSecret) || typeof value !== "string")
    .map(([name]) => name);
  if (unknown.length > 0)
    throw new Refused(`The file has keys that this version does not know: ${unknown.join(", ")}.`);
  const { fingerprint } = identityOfKeys(file.keys);
  if (file.fingerprint !== fingerprint)
    throw new Refused(
      `The file is damaged: it names the fingerprint ${file.fingerprint}, but that of its keys is ${fingerprint}. Use another copy.`,
    );
  return {
    keys: file.keys,
    savedAt: String(file.savedAt),
    ...(typeof file.serverName === "string" ? { serverName: file.serverName } : {}),
  };
}

export const namesIn = (keys: Keys): ImportableSecret[] =>
  IMPORTABLE_SECRETS.filter((name) => keys[name] !== undefined);

/** The public part. @param expiredAt When the key stops signing. */
export function publicPart(saved: Saved, expiredAt: Date): string {
  const { id, verifyKey, fingerprint } = identityOfKeys(saved.keys);
  return [
    `fingerprint  ${fingerprint}`,
    `server       ${saved.serverName ?? "(not in the file)"}`,
    `saved        ${saved.savedAt}`,
    `signing key  ${id}`,
    `public half  ${verifyKey}`,
    `holds        ${namesIn(saved.keys).join(", ")}`,
    "",
    "For oldSigningKeys, once another key signs (expiredAt: when that one starts; rather an hour too late than too early):",
    "  matrix-ha:oldSigningKeys:",
    `    - { id: "${id}", key: "${verifyKey}", expiredAt: "${expiredAt.toISOString().replace(/\.\d+Z$/, "Z")}" }`,
  ].join("\n");
}
