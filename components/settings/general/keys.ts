import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../domain/importableSecrets";
import { DISPOSABLE } from "../../core/identity";
import { isFingerprint, isVerifyKey } from "../../core/signingKey";
import { certificateChain, isSigningKey, isTurnSecret, privateKey } from "../../schema/syntax/keys";
import { isMoment } from "../../schema/syntax/text";
import { bool, list, secret, section, text, recordOf } from "../../schema/fields";

const SIGNING_KEY = secret(
  {
    doc: "Identity of the existing server: the line of its signing key file.",
    allowed: "`ed25519 NAME BASE64`, the line of the signing key file",
    remedy: "pulumi config set --secret --path 'matrix-ha:importSecrets.signingKey' < example.com.signing.key",
  },
  isSigningKey,
);

/** The secrets that must have a certain form; the others may be any text. */
const FORMS: Partial<Record<ImportableSecret, typeof SIGNING_KEY>> = {
  signingKey: SIGNING_KEY,
  caPrivateKey: secret(
    {
      doc: "Private key (PEM) of the authority that clients already trust, for `tls: own-ca`. Needs caCertificate too.",
      allowed: "a PEM private key without passphrase",
      remedy: "pulumi config set --secret --path 'matrix-ha:importSecrets.caPrivateKey' < ca.key",
    },
    (v) => privateKey(v) !== undefined,
  ),
  caCertificate: secret(
    {
      doc: "Certificate (PEM) of that authority.",
      allowed: "one PEM certificate",
      remedy: "pulumi config set --secret --path 'matrix-ha:importSecrets.caCertificate' < ca.crt",
    },
    (v) => certificateChain(v)?.length === 1,
  ),
  turnSharedSecret: secret(
    {
      doc: "turnSharedSecret of the existing deployment.",
      allowed:
        "8 to 512 bytes without control characters, beginning with neither a blank, an equals sign nor a quote, and not ending in a blank: coturn's file would hold another value",
      remedy: "where the present one is not so, leave it out: another is made, and clients get it with their next call",
    },
    isTurnSecret,
  ),
};

const anyText = (key: ImportableSecret) =>
  secret(
    { doc: `${key} of the existing deployment.`, allowed: "at least 8 characters, none of them a line break" },
    (v) => v.length >= 8 && !/[\r\n]/.test(v),
  );

/** Sections about keys: imported secrets, former signing keys, protection from loss. */
export const keySettings = {
  importSecrets: section(
    recordOf(IMPORTABLE_SECRETS, (key) => (FORMS[key] ?? anyText(key)).optional()),
    {
      doc: "Secrets of an existing deployment, taken over instead of generated. `npm run keys -- restore` fills them from a saved file.",
    },
  ).prefault({}),
  oldSigningKeys: list(
    section(
      {
        id: text(
          {
            doc: "Name of the key.",
            allowed: "`ed25519:` and the key's name, such as ed25519:a_abcd",
            remedy: "`npm run keys -- show FILE` prints it",
          },
          (v) => /^ed25519:[A-Za-z0-9_]{1,64}$/.test(v),
          "ed25519:a_abcd",
        ),
        key: text(
          {
            doc: "Its PUBLIC half, base64.",
            allowed: "base64 of 32 bytes, the public half of the key",
            remedy:
              "`npm run keys -- show FILE` prints it; so does /_matrix/key/v2/server of the running server, under verify_keys",
          },
          isVerifyKey,
          "YGjbjXfBe2nAvTSBhBqZjgmmIIcJYbBcEkKAhnMKDmE",
        ),
        expiredAt: text(
          {
            doc: "When another key took over. Signatures that the old key made later are refused, so give a time that is rather an hour too late.",
            allowed: "a moment with its zone, such as 2026-11-20T14:30:00Z",
            remedy: "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the present time in this form",
          },
          isMoment,
          "2026-11-20T14:30:00Z",
        ),
      },
      { doc: "A former key." },
    ),
    {
      doc: "Former signing keys of this server, with which other servers can still verify what it signed at that time.",
    },
  ).default([]),
  deletionProtection: bool({
    doc: "`pulumi destroy` refuses before anything is deleted. To destroy the stack: set this to false, set `savedKeys`, run `pulumi up`, then `pulumi destroy`.",
  }).default(true),
  savedKeys: text(
    {
      doc: `Fingerprint of the keys that you have a copy of; \`npm run keys -- save\` prints it. \`${DISPOSABLE}\` for a stack whose loss does not matter. Without this setting the keys that cannot be replaced (signing key, own CA) stay protected, whatever deletionProtection is.`,
      allowed: `a fingerprint such as 91c2-07fe-5d3a-b840, or ${DISPOSABLE}`,
      remedy: "run `npm run keys -- save --stack NAME --out FILE` and give the fingerprint that it prints",
    },
    (v) => v === DISPOSABLE || isFingerprint(v),
    DISPOSABLE,
  ).optional(),
};
