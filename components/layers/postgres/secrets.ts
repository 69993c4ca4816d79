/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Password of the database's owner. */
export const DATABASE_PASSWORD: SecretSpec = { label: "database", fatal: true, importable: "databasePassword" };
/** Password of the role by which the data centres copy the database of the primary. It is the same in all of them. */
export const STREAM_PASSWORD: SecretSpec = {
  label: "database-stream",
  importable: "replicationPassword",
  when: ({ dataCentre }) => dataCentre !== undefined,
};
