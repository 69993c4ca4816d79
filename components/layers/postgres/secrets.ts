/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Password of the database's owner. */
export const DATABASE_PASSWORD: SecretSpec = { label: "database", fatal: true, importable: "databasePassword" };
