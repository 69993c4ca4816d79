/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

/** Bearer token that Alertmanager sends to the webhook. */
export const ALERTMANAGER_TOKEN: SecretSpec = { label: "alertmanager" };
/** Password of Grafana's user `admin`. */
export const GRAFANA_PASSWORD: SecretSpec = { label: "grafana" };

export const MONITORING_SECRETS = [ALERTMANAGER_TOKEN, GRAFANA_PASSWORD];
