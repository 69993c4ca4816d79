/** The machines: prepared over SSH and labelled with their roles. */
import type { Layer } from "../../core/layer";
import { hostAlerts } from "./alerts";
import { checkHosts } from "./checks";
import { controlPlaneZoneLoss, hostFailures, hostNotes } from "./plan";
import { completeHosts, hostSettings, type HostsCompleted } from "./settings";

interface Declares {
  settings: typeof hostSettings;
  completed: HostsCompleted;
}

export const hosts: Layer<Declares> = {
  name: "hosts",
  settings: hostSettings,
  complete: completeHosts,
  checks: [checkHosts],
  failures: hostFailures,
  zoneLoss: controlPlaneZoneLoss,
  notes: hostNotes,
  alerts: hostAlerts,
  component: () => import("./deploy"),
};
