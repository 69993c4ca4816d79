/** Secrets that are generated for this layer. Pure. */
import type { SecretSpec } from "../../core/secrets";

export const ALERTMANAGER_TOKEN: SecretSpec = { label: "alertmanager" };
export const GRAFANA_PASSWORD: SecretSpec = { label: "grafana" };

export const MONITORING_SECRETS = [ALERTMANAGER_TOKEN, GRAFANA_PASSWORD];
