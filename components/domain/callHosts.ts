/** Where clients on the Internet find the call hosts. Pure; TURN and the SFU share it. */
import { isIPv6 } from "node:net";
import type { HostSettings, Settings } from "../settings/types";

export const callHosts = (settings: Settings): HostSettings[] => settings.hosts.filter((h) => h.roles.includes("call"));

/** The address that clients are given: the public one, else the host's own. */
export const advertised = (host: HostSettings): string => host.publicAddress ?? host.address;

/** As it stands in a URI. */
export const uriHost = (address: string): string => (isIPv6(address) ? `[${address}]` : address);

/**
 * Shell: HOST_IP (the node's address, from the downward API) in, PUBLIC_IP out. The pods of one DaemonSet are alike,
 * and what differs between their nodes is only this.
 */
export function publicAddressLookup(settings: Settings): string {
  const cases = callHosts(settings)
    .filter((h) => advertised(h) !== h.address)
    .map((h) => `  ${h.address}) PUBLIC_IP=${advertised(h)} ;;`);
  return `PUBLIC_IP=$HOST_IP\ncase "$HOST_IP" in\n${cases.map((c) => `${c}\n`).join("")}  *) ;;\nesac\n`;
}
