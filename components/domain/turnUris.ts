/** TURN URIs that Synapse hands to clients. Pure. */
import { PORTS } from "../core/names";
import type { Settings } from "../settings/types";
import { turnHasTls } from "./calls";
import { advertised, callHosts, uriHost } from "./callHosts";

/**
 * URIs of every call host, so that a client finds another relay when one is lost; none where TURN is off. TLS needs a
 * name that the certificate covers: `hostnames.turn`, whose DNS records are the call hosts' addresses.
 * @param tls Whether coturn offers TLS. @default as turnHasTls says
 */
export function turnUris(settings: Settings, tls = turnHasTls(settings)): string[] {
  if (!settings.turn.enabled) return [];
  return [
    ...callHosts(settings).flatMap((h) =>
      ["udp", "tcp"].map((t) => `turn:${uriHost(advertised(h))}:${PORTS.turn}?transport=${t}`),
    ),
    ...(tls ? [`turns:${settings.hostnames.turn}:${settings.turn.tlsPort}?transport=tcp`] : []),
  ];
}
