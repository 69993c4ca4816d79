/** Secrets of an existing deployment that a stack takes over instead of generating its own. Pure. */

/** Keys of `importSecrets` in the settings. */
export const IMPORTABLE_SECRETS = [
  "signingKey",
  "macaroonSecretKey",
  "formSecret",
  "registrationSharedSecret",
  "databasePassword",
  "turnSharedSecret",
  // With `dataCentre`: by which the data centres read each other's PostgreSQL.
  "replicationPassword",
  // For `tls: own-ca`: both or neither, as PEM.
  "caPrivateKey",
  "caCertificate",
] as const;
/** Those of a stack that is the only one. */
export const ALONE_SECRETS = IMPORTABLE_SECRETS.filter((name) => name !== "replicationPassword");
export type ImportableSecret = (typeof IMPORTABLE_SECRETS)[number];
