/** TURN URIs that clients get, from Synapse and from the SFU, and the DNS records that they need. Pure. */
import { isIP } from "node:net";
import { PORTS } from "../core/names";
import type { Settings } from "../settings/types";
import { turnHasTls } from "./calls";
import { advertised, callHosts } from "./callHosts";

/** How clients without TLS reach a relay. */
export const TURN_TRANSPORTS = ["udp", "tcp"] as const;

/**
 * One name for all call hosts, by each transport; none where TURN is off. A client makes an allocation for each URI, so
 * with URIs of every host each client would occupy each host; browsers warn of five and more. The name's DNS records
 * are the call hosts: a client resolves it for each URI, so its two or three are spread over them.
 * @param tls Whether coturn offers TLS. @default as turnHasTls says
 */
export function turnUris(settings: Settings, tls = turnHasTls(settings)): string[] {
  if (!settings.turn.enabled) return [];
  const { turn } = settings.hostnames;
  return [
    ...TURN_TRANSPORTS.map((t) => `turn:${turn}:${PORTS.turn}?transport=${t}`),
    ...(tls ? [`turns:${turn}:${settings.turn.tlsPort}?transport=tcp`] : []),
  ];
}

/** A DNS record. */
export interface DnsRecord {
  name: string;
  type: "A" | "AAAA" | "CNAME";
  value: string;
}

/** Records of `hostnames.turn`: the address of each call host. */
export const turnRecords = (settings: Settings): DnsRecord[] =>
  settings.turn.enabled
    ? callHosts(settings).map((h): DnsRecord => {
        const value = advertised(h);
        return {
          name: settings.hostnames.turn,
          type: ({ 4: "A", 6: "AAAA", 0: "CNAME" } as const)[isIP(value) as 0 | 4 | 6],
          value,
        };
      })
    : [];
