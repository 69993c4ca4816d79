/** TURN's row in the dashboard of calls. Pure. */
import { panel, type DashboardRow } from "../../core/monitoring";

/** Row in the rtc layer's dashboard. */
export const TURN_ROW: DashboardRow = {
  title: "TURN",
  panels: [
    panel(
      "Nodes available",
      "none",
      ["available", 'kube_daemonset_status_number_available{namespace="coturn"}'],
      ["wanted", 'kube_daemonset_status_desired_number_scheduled{namespace="coturn"}'],
    ),
  ],
};
