/** Monitors, alerts and dashboards of the stack and, where none runs already, Prometheus itself. */
import type { Layer } from "../../core/layer";
import { monitoringAlerts } from "./alerts";
import { MONITORING_DASHBOARDS } from "./dashboards";
import { monitoringEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { IMAGES } from "./images";
import { monitoringDemands, monitoringNotes, monitoringServices, monitoringZoneLoss } from "./plan";
import { MONITORING_SECRETS } from "./secrets";
import { monitoringOverrides, monitoringSettings } from "./settings";
import { monitoringTargets } from "./targets";

interface Declares {
  settings: typeof monitoringSettings;
  overrides: typeof monitoringOverrides;
  images: typeof IMAGES;
}

export const monitoring: Layer<Declares> = {
  name: "monitoring",
  settings: monitoringSettings,
  overrides: monitoringOverrides,
  demands: monitoringDemands,
  zoneLoss: monitoringZoneLoss,
  services: monitoringServices,
  notes: monitoringNotes,
  images: IMAGES,
  secrets: MONITORING_SECRETS,
  edges: monitoringEdges,
  targets: monitoringTargets,
  alerts: monitoringAlerts,
  dashboards: MONITORING_DASHBOARDS,
  pods: ["monitoring/"],
  exceptions: EXCEPTIONS,
  component: () => import("./deploy"),
};
