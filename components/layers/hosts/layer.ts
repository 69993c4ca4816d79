/** The machines: prepared over SSH, labelled with their roles. */
import type { Layer } from "../../core/layer";
import { hostAlerts } from "./alerts";
import { checkHosts } from "./checks";
import { Hosts } from "./Hosts";
import { hostFailures, hostNotes } from "./plan";
import { completeHosts, hostSettings, type HostsCompleted } from "./settings";

export const hosts: Layer<{ settings: typeof hostSettings; completed: HostsCompleted }> = {
  name: "hosts",
  settings: hostSettings,
  complete: completeHosts,
  checks: [checkHosts],
  failures: hostFailures,
  notes: hostNotes,
  alerts: hostAlerts,
  deploy: (stack) => [new Hosts("hosts", { ctx: stack.ctx }, { parent: stack.self })],
};
