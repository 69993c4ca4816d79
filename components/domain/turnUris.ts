/** What Synapse tells its clients. Pure. */
import { PORTS } from "../core/names";
import type { Settings } from "../settings/types";
import { turnHasTls } from "./calls";
import { advertised, callHosts, uriHost } from "./callHosts";

/**
 * Every call node's own URIs, so that a client finds another relay when one is gone. Over TLS a name is needed that the
 * certificate holds: `hostnames.turn`, whose DNS records are the call nodes' addresses.
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
