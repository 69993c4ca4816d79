/** What several layers need to know of calls. Pure. */
import type { RoleNeed } from "../core/layer";
import type { SecretSpec } from "../core/secrets";
import type { Settings } from "../settings/types";

/** Known to coturn, and to those who make credentials for it: Synapse and the SFU. */
export const TURN_SHARED_SECRET: SecretSpec = { label: "turn", length: 64, importable: "turnSharedSecret" };

/** Hosts that calls need, whether relayed by TURN or sent through the SFU. */
export const CALL_HOSTS = {
  role: "call",
  least: 2,
  why: "a call host carries its calls alone: when the only one is lost, nobody can call",
  otherwise: "switch calls off (turn.enabled: false and rtc.enabled: false)",
} as const satisfies RoleNeed;

/**
 * ACME proves a name by HTTP at its address, and the TURN host's address is coturn's: no certificate, so no TURN over
 * TLS.
 */
export const turnHasTls = (settings: Settings): boolean => settings.tls.mode !== "acme";
