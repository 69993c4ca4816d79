/** The public identity of the stack's keys, and whether a copy of the keys is known to exist. Pure. */
import type { Settings, SettingsError } from "../settings/types";
import { fingerprintOf, publicSigningKey, type PublicSigningKey } from "./signingKey";

/** Value of `savedKeys` for a stack whose keys need no copy. */
export const DISPOSABLE = "disposable";

/** The server's public key, and the fingerprint of all keys whose loss is fatal. */
export interface Identity extends PublicSigningKey {
  /** What `savedKeys` must be set to: `91c2-07fe-5d3a-b840`. */
  fingerprint: string;
}

/**
 * The identity that these keys make; undefined where the signing key cannot be read (tools have a placeholder for it).
 *
 * @param keys The line of the signing key file, and the PEM certificate of the stack's own CA where it has one.
 */
export function identityOf(keys: { signingKey: string; caCertificate?: string }): Identity | undefined {
  const signingKey = publicSigningKey(keys.signingKey);
  return signingKey && { ...signingKey, fingerprint: fingerprintOf({ signingKey, caCertificate: keys.caCertificate }) };
}

/**
 * Whether the engine must refuse to delete keys whose loss is fatal: always, unless the operator has switched deletion
 * protection off and has said that a copy exists or is not needed.
 */
export const keysAreProtected = (settings: Settings): boolean =>
  settings.deletionProtection || settings.savedKeys === undefined;

/** The error where `oldSigningKeys` or `savedKeys` contradict the keys that the stack has; undefined if none. */
export function identityProblem(settings: Settings, identity: Identity): SettingsError | undefined {
  const old = settings.oldSigningKeys.findIndex((key) => key.id === identity.id);
  if (old >= 0) {
    return {
      path: `oldSigningKeys[${old}].id`,
      given: `${identity.id}, which the server signs with now`,
      allowed: "former signing keys",
      remedy: "remove it, and add it again when another key takes over",
    };
  }
  const { savedKeys } = settings;
  if (savedKeys === undefined || savedKeys === DISPOSABLE || savedKeys === identity.fingerprint) return undefined;
  return {
    path: "savedKeys",
    given: `${savedKeys}, while the keys of this stack are ${identity.fingerprint}`,
    allowed: "the fingerprint of the present keys: only then is it known that a copy of them exists",
    remedy: `npm run keys -- save --stack ${settings.instance} --out FILE, and set savedKeys to what it prints. Before keys are changed on purpose: pulumi config rm savedKeys`,
  };
}
