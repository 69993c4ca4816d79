/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

export const REDIS_LIVEKIT_PASSWORD: SecretSpec = { label: "redis-livekit" };
export const LIVEKIT_API_KEY: SecretSpec = { label: "livekit-key", length: 16, from: (key) => `API${key}` };
export const LIVEKIT_API_SECRET: SecretSpec = { label: "livekit-secret", length: 48 };

export const RTC_SECRETS = [REDIS_LIVEKIT_PASSWORD, LIVEKIT_API_KEY, LIVEKIT_API_SECRET];
