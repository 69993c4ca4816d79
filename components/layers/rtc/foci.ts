/** What clients are told of calls, and where the ingress sends them. Pure. */
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";

/** Value of `org.matrix.msc4143.rtc_foci` in .well-known/matrix/client. */
export function rtcFoci(settings: Settings): Array<{ type: "livekit"; livekit_service_url: string }> {
  if (!settings.rtc.enabled || !settings.rtc.jwtService) return [];
  return [{ type: "livekit", livekit_service_url: `https://${settings.hostnames.rtc}` }];
}

export interface RtcRoute {
  path: string;
  pathType: "Exact" | "Prefix";
  service: string;
  port: "http";
}

/**
 * Paths of `hostnames.rtc`. The two programs' own paths do not collide, so that the Ingress needs no rewriting,
 * which each controller spells differently.
 */
export function rtcRoutes(settings: Settings): RtcRoute[] {
  if (!settings.rtc.enabled) return [];
  const jwt = settings.rtc.jwtService ? ["/sfu/get", "/get_token"] : [];
  return [
    ...jwt.map((path): RtcRoute => ({ path, pathType: "Exact", service: SERVICES.jwt, port: "http" })),
    // /rtc: signalling websockets; /twirp: rooms made by lk-jwt-service with a signed token.
    ...["/rtc", "/twirp"].map((path): RtcRoute => ({
      path,
      pathType: "Prefix",
      service: SERVICES.livekit,
      port: "http",
    })),
  ];
}
