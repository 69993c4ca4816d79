/** Roles of hosts. Pure. */

/** What a host is for. One host may carry several roles; `call` carries TURN and the SFU. */
export const HOST_ROLES = ["control-plane", "application", "database", "storage", "call"] as const;
export type HostRole = (typeof HOST_ROLES)[number];
