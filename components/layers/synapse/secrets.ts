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
  // Its value was its id, which no state encrypts. A stack that has the former one is refused, since that is protected,
  // before Synapse gets another key: docs/operate.md.
  formerType: "random:index/randomBytes:RandomBytes",
};
export const MACAROON: SecretSpec = { label: "macaroon", length: 64, fatal: true, importable: "macaroonSecretKey" };
export const FORM: SecretSpec = { label: "form", length: 64, importable: "formSecret" };
export const REGISTRATION: SecretSpec = { label: "registration", length: 64, importable: "registrationSharedSecret" };
export const REPLICATION: SecretSpec = { label: "replication", length: 64 };

export const SYNAPSE_SECRETS = [SIGNING_KEY, MACAROON, FORM, REGISTRATION, REPLICATION];
