/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Password of Synapse's Redis and its Sentinels. */
export const REDIS_PASSWORD: SecretSpec = { label: "redis-synapse" };
