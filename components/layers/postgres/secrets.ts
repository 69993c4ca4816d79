/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

export const DATABASE_PASSWORD: SecretSpec = { label: "database", fatal: true, importable: "databasePassword" };
