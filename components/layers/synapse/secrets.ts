/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";
import { signingKeyFrom } from "../../core/signingKey";

/** `ed25519 a_<id> <base64 seed>`: the server's identity. Losing it makes every room unreachable to others. */
export const SIGNING_KEY: SecretSpec = {
  label: "signing-key",
  length: 64,
  fatal: true,
  importable: "signingKey",
  from: signingKeyFrom,
  // The id of the former resource was its value, and no state encrypts ids. A stack that still has it is refused,
  // because it is protected, before Synapse gets another key: docs/operate.md.
  formerType: "random:index/randomBytes:RandomBytes",
};
/** Signs guests' access tokens, short-lived login tokens of SSO, and links to unsubscribe from e-mail. */
export const MACAROON: SecretSpec = { label: "macaroon", length: 64, fatal: true, importable: "macaroonSecretKey" };
/** Authenticates values of forms, so that they cannot be forged. */
export const FORM: SecretSpec = { label: "form", length: 64, importable: "formSecret" };
/** Lets its holder register users through the admin API. */
export const REGISTRATION: SecretSpec = { label: "registration", length: 64, importable: "registrationSharedSecret" };
/** Authenticates Synapse's processes to each other. */
export const REPLICATION: SecretSpec = { label: "replication", length: 64 };

/** All of them. */
export const SYNAPSE_SECRETS = [SIGNING_KEY, MACAROON, FORM, REGISTRATION, REPLICATION];
