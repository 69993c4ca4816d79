/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Password of LiveKit's Redis and its Sentinels. */
export const REDIS_LIVEKIT_PASSWORD: SecretSpec = { label: "redis-livekit" };
/** Name of LiveKit's API key, `API` and 16 characters; lk-jwt-service signs tokens under it. */
export const LIVEKIT_API_KEY: SecretSpec = { label: "livekit-key", length: 16, from: (key) => `API${key}` };
/** Secret of that key. */
export const LIVEKIT_API_SECRET: SecretSpec = { label: "livekit-secret", length: 48 };

export const RTC_SECRETS = [REDIS_LIVEKIT_PASSWORD, LIVEKIT_API_KEY, LIVEKIT_API_SECRET];
