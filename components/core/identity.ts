/** Which keys the stack has, as everybody may know them, and whether they may be lost with it. Pure. */
import type { Settings, SettingsError } from "../settings/types";
import { fingerprintOf, publicSigningKey, type PublicSigningKey } from "./signingKey";

/** In `savedKeys`: a stack whose keys nobody will miss. */
export const DISPOSABLE = "disposable";

/** The server's public key, and what all of its keys are known by in `savedKeys`. */
export interface Identity extends PublicSigningKey {
  fingerprint: string;
}

export function identityOf(keys: { signingKey: string; caCertificate?: string }): Identity | undefined {
  const signingKey = publicSigningKey(keys.signingKey);
  return signingKey && { ...signingKey, fingerprint: fingerprintOf({ signingKey, caCertificate: keys.caCertificate }) };
}

/** Keys whose loss is fatal may go only where the operator has said that a copy is kept, or that nobody needs one. */
export const keysAreProtected = (settings: Settings): boolean =>
  settings.deletionProtection || settings.savedKeys === undefined;

/** What is wrong with the settings about keys, by the keys that there are. */
export function identityProblem(settings: Settings, identity: Identity): SettingsError | undefined {
  const old = settings.oldSigningKeys.findIndex((key) => key.id === identity.id);
  if (old >= 0) {
    return {
      path: `oldSigningKeys[${old}].id`,
      given: `${identity.id}, which the server signs with now`,
      allowed: "keys of before",
      remedy: "take it out, and put it back when another key takes over",
    };
  }
  const { savedKeys } = settings;
  if (savedKeys === undefined || savedKeys === DISPOSABLE || savedKeys === identity.fingerprint) return undefined;
  return {
    path: "savedKeys",
    given: `${savedKeys}, while the keys of this stack are ${identity.fingerprint}`,
    allowed: "the fingerprint of the present keys: of no others is it known that a copy is kept",
    remedy: `npm run keys -- save --stack ${settings.instance} --out FILE, and set savedKeys to what it prints. Before keys are changed on purpose: pulumi config rm savedKeys`,
  };
}
