/** Labels and taints of a node. Pure. */
import { NODE_LABELS } from "../../core/names";
import type { HostSettings, Settings } from "../../settings/types";
import type { HostRole } from "../../domain/roles";

/** A taint, as the Kubernetes API writes it. */
export interface Taint {
  key: string;
  value: string;
  effect: "NoSchedule";
}

/**
 * Labels that workloads select nodes by.
 *
 * @param zonePools Number of MinIO pools that are spread strictly over zones. @default 0
 */
export function nodeLabels(settings: Settings, host: HostSettings, zonePools = 0): Record<string, string> {
  const call = host.roles.includes("call");
  return {
    ...Object.fromEntries(host.roles.map((role) => [NODE_LABELS.role(role), "true"])),
    ...(call && settings.turn.enabled ? { [NODE_LABELS.turn]: "true" } : {}),
    ...(call && settings.rtc.enabled ? { [NODE_LABELS.rtc]: "true" } : {}),
    ...(host.zone ? { [NODE_LABELS.zone]: host.zone } : {}),
    ...(host.zone && host.roles.includes("storage")
      ? Object.fromEntries(Array.from({ length: zonePools }, (_, pool) => [NODE_LABELS.poolZone(pool), host.zone!]))
      : {}),
  };
}

const DEDICATED: readonly HostRole[] = ["database", "storage", "call"];

/**
 * A host with only one dedicated role is kept free of other pods; this stack's pods for the role tolerate the taint.
 */
export function nodeTaints(host: HostSettings): Taint[] {
  const [role] = host.roles;
  if (host.roles.length !== 1 || !DEDICATED.includes(role)) return [];
  return [{ key: NODE_LABELS.role(role), value: "true", effect: "NoSchedule" }];
}
