/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

export const REDIS_PASSWORD: SecretSpec = { label: "redis-synapse" };
