/** Facts about calls that several layers need. Pure. */
import type { RoleNeed } from "../core/layer";
import type { SecretSpec } from "../core/secrets";
import { isPrivateAddress } from "../core/addresses";
import { advertised, callHosts } from "./callHosts";
import type { Settings } from "../settings/types";
import { fromIssuer } from "./tlsModes";

/** Shared by coturn and by the programs that make credentials for it: Synapse and the SFU. */
export const TURN_SHARED_SECRET: SecretSpec = { label: "turn", length: 64, importable: "turnSharedSecret" };

/** Hosts that calls need, whether relayed by TURN or sent through the SFU. @param on Whether the layer needs them */
export const callHostNeeds = (on: (settings: Settings) => boolean): RoleNeed[] => [
  {
    role: "call",
    least: 2,
    why: "a call host carries its calls alone: when the only one is lost, no call works",
    when: (settings) => on(settings) && !settings.acceptOneCallHost,
    otherwise:
      "accept that (acceptOneCallHost: true), for example where there is one public address, whose router forwards the ports of calls to one host; or switch calls off (turn.enabled: false and rtc.enabled: false)",
  },
  {
    role: "call",
    least: 1,
    why: "TURN and the SFU run on hosts with this role",
    when: (settings) => on(settings) && settings.acceptOneCallHost,
    otherwise: "switch calls off (turn.enabled: false and rtc.enabled: false)",
  },
];

/** What the plan has to say about the addresses and the number of the call hosts. */
export function callHostNotes(settings: Settings): string[] {
  const hosts = callHosts(settings);
  const inside = hosts.filter((h) => isPrivateAddress(advertised(h)));
  return [
    ...(inside.length > 0
      ? [
          `Calls from the Internet do not work: clients are given the private address of ${inside.map((h) => `${h.name} (${advertised(h)})`).join(", ")}. Set publicAddress of each; behind NAT the address whose router forwards the ports of calls to the host. In a closed network nothing is missing.`,
        ]
      : []),
    ...(hosts.length === 1 ? [`Calls run on one host, ${hosts[0]!.name}: while it is away, none work.`] : []),
  ];
}

/**
 * Whether cert-manager orders a certificate for TURN. By HTTP a name is proved at its own address, and that of TURN is
 * coturn's: only an issuer that asks in DNS, or not at all, can certify it.
 */
export const turnIsIssued = ({ tls, turn }: Pick<Settings, "tls" | "turn">): boolean =>
  turn.enabled && (tls.mode === "acme" ? tls.dns01 !== undefined : tls.mode === "issuer" && tls.certifiesTurn);

/** Whether coturn offers TLS. */
export const turnHasTls = (settings: Settings): boolean => !fromIssuer(settings.tls) || turnIsIssued(settings);
