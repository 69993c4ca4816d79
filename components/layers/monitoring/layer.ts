/** What watches the stack: monitors, alerts, dashboards and, where none runs, Prometheus itself. */
import type { Layer } from "../../core/layer";
import { monitoringAlerts } from "./alerts";
import { MONITORING_DASHBOARDS } from "./dashboards";
import { monitoringEdges } from "./edges";
import { IMAGES } from "./images";
import { Monitoring } from "./Monitoring";
import { monitoringDemands, monitoringServices } from "./plan";
import { MONITORING_SECRETS } from "./secrets";
import { monitoringOverrides, monitoringSettings } from "./settings";
import { monitoringTargets } from "./targets";
import { ClusterFoundation } from "../cluster/ClusterFoundation";

export const monitoring: Layer<{
  settings: typeof monitoringSettings;
  overrides: typeof monitoringOverrides;
  images: typeof IMAGES;
}> = {
  name: "monitoring",
  settings: monitoringSettings,
  overrides: monitoringOverrides,
  demands: monitoringDemands,
  services: monitoringServices,
  images: IMAGES,
  secrets: MONITORING_SECRETS,
  edges: monitoringEdges,
  targets: monitoringTargets,
  alerts: monitoringAlerts,
  dashboards: MONITORING_DASHBOARDS,
  pods: ["monitoring/"],
  deploy({ ctx, secrets, layers, get, after }) {
    if (!ctx.settings.monitoring.enabled) return [];
    const operator = get(ClusterFoundation).ready("prometheus-operator");
    return [new Monitoring("monitoring", { ctx, secrets, layers }, after(operator))];
  },
};
