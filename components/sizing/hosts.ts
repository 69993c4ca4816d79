import type { HostRole, HostSettings, Settings } from "../settings/types";

export const hostsOf = (settings: Settings, role: HostRole): HostSettings[] => settings.hosts.filter((h) => h.roles.includes(role));
