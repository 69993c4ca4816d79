/** The file that keys are kept in: its text, and what of it may be shown. Pure. */
import { identityOf, type Identity } from "../../components/core/identity";
import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../components/domain/importableSecrets";
import { Refused } from "../arguments";
import type { Keys } from "./found";

export interface Saved {
  keys: Keys;
  serverName?: string;
  /** RFC 3339. */ savedAt: string;
}

const WHAT = "Keys of a Matrix homeserver, in clear: anyone who has this file can be that server.";

export const identityOfKeys = (keys: Keys): Identity => {
  const identity = identityOf(keys);
  if (!identity) throw new Refused("The signing key cannot be read: `ed25519 a_XXXX BASE64` is wanted.");
  return identity;
};

export function savedText({ keys, serverName, savedAt }: Saved): string {
  const ordered = Object.fromEntries(
    IMPORTABLE_SECRETS.filter((name) => keys[name] !== undefined).map((name) => [name, keys[name]]),
  );
  return `${JSON.stringify({ what: WHAT, version: 1, ...(serverName ? { serverName } : {}), fingerprint: identityOfKeys(keys).fingerprint, savedAt, keys: ordered }, null, 2)}\n`;
}

/** Refuses what is none, or damaged: better now than when the server comes up as another. */
export function readSaved(text: string): Saved {
  let file: any;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Refused("This is no file that `npm run keys -- save` wrote (no JSON).");
  }
  if (file?.version !== 1 || typeof file.keys?.signingKey !== "string")
    throw new Refused("This is no file that `npm run keys -- save` wrote: it has no version 1 and no keys.");
  const unknown = Object.entries(file.keys)
    .filter(([name, value]) => !IMPORTABLE_SECRETS.includes(name as ImportableSecret) || typeof value !== "string")
    .map(([name]) => name);
  if (unknown.length > 0)
    throw new Refused(`The file has keys that this version does not know: ${unknown.join(", ")}.`);
  const { fingerprint } = identityOfKeys(file.keys);
  if (file.fingerprint !== fingerprint)
    throw new Refused(
      `The file is damaged: it says ${file.fingerprint}, and its keys are ${fingerprint}. Take another copy.`,
    );
  return {
    keys: file.keys,
    savedAt: String(file.savedAt),
    ...(typeof file.serverName === "string" ? { serverName: file.serverName } : {}),
  };
}

export const namesIn = (keys: Keys): ImportableSecret[] =>
  IMPORTABLE_SECRETS.filter((name) => keys[name] !== undefined);

/** What everybody may see. @param expiredAt When the key stops being the one that signs. */
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
    "As a key of before, once another signs (expiredAt: when that is so, rather an hour later):",
    "  matrix-ha:oldSigningKeys:",
    `    - { id: "${id}", key: "${verifyKey}", expiredAt: "${expiredAt.toISOString().replace(/\.\d+Z$/, "Z")}" }`,
  ].join("\n");
}
