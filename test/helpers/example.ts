/** Settings that are right, to be spoilt one by one; and certificates made for the test. */
import "reflect-metadata"; // @peculiar/x509 wants it first
import { generateKeyPairSync, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { exampleHostKey } from "../../components/settings";
import type { LdapSettings, OidcProvider } from "../../components/settings/types";

export const host = (name: string, address: string, roles: string[], more: object = {}): Record<string, unknown> => ({
  name,
  address,
  roles,
  cpu: 16,
  memoryGiB: 64,
  hostKey: exampleHostKey(name),
  ...more,
});

export const HOSTS = [
  host("a", "10.1.0.1", ["application", "database"], {
    disks: [{ id: "/dev/disk/by-id/nvme-1", use: "database", sizeGiB: 500 }],
  }),
  host("b", "10.1.0.2", ["application", "database"]),
  host("c", "10.1.0.3", ["application", "database"]),
  host("s1", "10.1.0.4", ["storage"], { disks: [{ id: "/dev/disk/by-id/sda", use: "object-store", sizeGiB: 500 }] }),
  host("s2", "10.1.0.5", ["storage"]),
  host("s3", "10.1.0.6", ["storage", "call"]),
  host("k1", "10.1.0.7", ["call"]),
];

/** The minimal stack: the five that have no default. */
export const minimal = (): Record<string, unknown> =>
  structuredClone({
    ccu: 1000,
    domain: "example.com",
    tls: { mode: "acme", email: "admin@example.com" },
    addressPools: [{ name: "public", addresses: ["203.0.113.10-203.0.113.20"] }],
    hosts: HOSTS,
    backups: { acceptNoOffsite: true },
  });

/** A provider of logins, as an operator writes it. */
export const OIDC = {
  id: "corp",
  name: "Corp",
  issuer: "https://sso.example.net",
  clientId: "matrix",
  clientSecret: "oidc-secret",
};
/** The provider with what the product completes. */
export const oidcProvider = (more: Partial<OidcProvider> = {}): OidcProvider => ({
  ...OIDC,
  scopes: ["openid", "profile", "email"],
  confirmLocalpart: false,
  displayNameTemplate: "{{ user.name }}",
  subjectClaim: "sub",
  allowExistingUsers: false,
  ...more,
});
/** A directory with what the product completes. */
export const ldapSettings = (more: Partial<LdapSettings> = {}): LdapSettings => ({
  uris: ["ldaps://ldap.example.net"],
  inClear: false,
  base: "ou=people,dc=example,dc=net",
  mode: "search",
  attributes: { name: "cn", mail: "mail" },
  activeDirectory: false,
  localPasswords: true,
  ...more,
});
/** A mail server. */
export const EMAIL = {
  host: "mail.example.net",
  user: "matrix",
  password: "smtp-password",
  from: "matrix@example.org",
};

export const S3 = {
  kind: "s3",
  endpoint: "https://s3.example.net",
  bucket: "media",
  accessKey: "AKIAEXAMPLE",
  secretKey: "very-secret-s3-key",
};

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export interface Pair {
  certificate: string;
  privateKey: string;
}

/** @param authority Whether it may sign others. @default false */
export async function certificate(
  names: string[],
  notBefore: string,
  notAfter: string,
  authority = false,
): Promise<Pair> {
  x509.cryptoProvider.set(webcrypto as any);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test",
    keys: keys as any,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
      ...(authority ? [new x509.BasicConstraintsExtension(true)] : []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey))
    .toString("base64")
    .match(/.{1,64}/g)!
    .join("\n");
  return {
    certificate: made.toString("pem"),
    privateKey: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  };
}

export const encryptedKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
    .toString();
