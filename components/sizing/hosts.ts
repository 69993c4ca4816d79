import type { HostSettings, Settings } from "../settings/types";
import type { HostRole } from "../domain/roles";

export const hostsOf = (settings: Settings, role: HostRole): HostSettings[] =>
  settings.hosts.filter((h) => h.roles.includes(role));
