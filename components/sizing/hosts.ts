import type { HostSettings, Settings } from "../settings/types";
import type { HostRole } from "../domain/roles";

/** Hosts with this role, in the order of the settings. */
export const hostsOf = (settings: Settings, role: HostRole): HostSettings[] =>
  settings.hosts.filter((h) => h.roles.includes(role));
