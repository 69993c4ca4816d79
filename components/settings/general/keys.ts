import { IMPORTABLE_SECRETS, type ImportableSecret } from "../../domain/importableSecrets";
import { DISPOSABLE } from "../../core/identity";
import { isFingerprint, isVerifyKey } from "../../core/signingKey";
import { certificateChain, isSigningKey, isTurnSecret, privateKey } from "../../schema/syntax/keys";
import { isMoment } from "../../schema/syntax/text";
import { bool, list, secret, section, text, recordOf } from "../../schema/fields";

const SIGNING_KEY = secret(
  {
    doc: "Identity of the existing server: its signing key file's line.",
    allowed: "`ed25519 a_XXXX BASE64`, the line of the signing key file",
    remedy: "pulumi config set --secret --path 'matrix-ha:importSecrets.signingKey' < example.com.signing.key",
  },
  isSigningKey,
);

/** Those that have a form of their own; of the others any text will do. */
const FORMS: Partial<Record<ImportableSecret, typeof SIGNING_KEY>> = {
  signingKey: SIGNING_KEY,
  caPrivateKey: secret(
    {
      doc: "Private key (PEM) of the authority that clients trust already, for `tls: own-ca`; together with caCertificate.",
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
            doc: "When another key took over. What the old one signed later is refused: rather an hour too late.",
            allowed: "a moment with its zone, such as 2026-11-20T14:30:00Z",
            remedy: "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the present one in this form",
          },
          isMoment,
          "2026-11-20T14:30:00Z",
        ),
      },
      { doc: "A key of before." },
    ),
    { doc: "Keys that this server signed with before, by which others can still check what it signed then." },
  ).default([]),
  deletionProtection: bool({
    doc: "`pulumi destroy` refuses, before anything is deleted. Set false, and `savedKeys`, then `pulumi up`, and only then destroy.",
  }).default(true),
  savedKeys: text(
    {
      doc: `The keys that you have a copy of, by their fingerprint, which \`npm run keys -- save\` prints; \`${DISPOSABLE}\` for a stack that nobody will miss. Without it what cannot be made again (signing key, own CA) stays protected, whatever deletionProtection says.`,
      allowed: `a fingerprint such as 91c2-07fe-5d3a-b840, or ${DISPOSABLE}`,
      remedy: "npm run keys -- save --stack NAME --out FILE, and give what it prints",
    },
    (v) => v === DISPOSABLE || isFingerprint(v),
    DISPOSABLE,
  ).optional(),
};
