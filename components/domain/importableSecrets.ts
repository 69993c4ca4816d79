/** Secrets of an existing deployment that a stack takes over instead of generating its own. Pure. */

export const IMPORTABLE_SECRETS = [
  "signingKey",
  "macaroonSecretKey",
  "formSecret",
  "registrationSharedSecret",
  "databasePassword",
  "turnSharedSecret",
  // Of `tls: own-ca`; PEM, both or none.
  "caPrivateKey",
  "caCertificate",
] as const;
export type ImportableSecret = (typeof IMPORTABLE_SECRETS)[number];
