/** Facts about calls that several layers need. Pure. */
import type { RoleNeed } from "../core/layer";
import type { SecretSpec } from "../core/secrets";
import type { Settings } from "../settings/types";
import { fromIssuer } from "./tlsModes";

/** Shared by coturn and by the programs that make credentials for it: Synapse and the SFU. */
export const TURN_SHARED_SECRET: SecretSpec = { label: "turn", length: 64, importable: "turnSharedSecret" };

/** Hosts that calls need, whether relayed by TURN or sent through the SFU. */
export const CALL_HOSTS = {
  role: "call",
  least: 2,
  why: "a call host carries its calls alone: when the only one is lost, no call works",
  otherwise: "switch calls off (turn.enabled: false and rtc.enabled: false)",
} as const satisfies RoleNeed;

/**
 * Whether coturn offers TLS. With ACME it does not: ACME proves a name by HTTP at the name's address, and the TURN
 * host's address is coturn's, so it gets no certificate.
 */
export const turnHasTls = (settings: Settings): boolean => !fromIssuer(settings.tls);
