/** Where clients on the Internet find the call hosts. Pure; TURN and the SFU share it. */
import { isIPv6 } from "node:net";
import type { HostSettings, Settings } from "../settings/types";

/** Hosts with the role `call`, in the order of the settings. */
export const callHosts = (settings: Settings): HostSettings[] => settings.hosts.filter((h) => h.roles.includes("call"));

/** The address that clients are given: the public one, else the host's own. */
export const advertised = (host: HostSettings): string => host.publicAddress ?? host.address;

/** An address as a URI has it: IPv6 in brackets. @example "[2001:db8::1]" */
export const uriHost = (address: string): string => (isIPv6(address) ? `[${address}]` : address);

/**
 * Shell lines that set PUBLIC_IP from HOST_IP (the node's address, from the downward API). All pods of a DaemonSet have
 * one template, and only this address differs between their nodes.
 */
export function publicAddressLookup(settings: Settings): string {
  const cases = callHosts(settings)
    .filter((h) => advertised(h) !== h.address)
    .map((h) => `  ${h.address}) PUBLIC_IP=${advertised(h)} ;;`);
  return `PUBLIC_IP=$HOST_IP\ncase "$HOST_IP" in\n${cases.map((c) => `${c}\n`).join("")}  *) ;;\nesac\n`;
}
