/** What clients learn about calls, and where the ingress sends them. Pure. */
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";

/** Value of `org.matrix.msc4143.rtc_foci` in .well-known/matrix/client; empty where clients find no SFU here. */
export function rtcFoci(settings: Settings): Array<{ type: "livekit"; livekit_service_url: string }> {
  if (!settings.rtc.enabled || !settings.rtc.jwtService) return [];
  return [{ type: "livekit", livekit_service_url: `https://${settings.hostnames.rtc}` }];
}

/** A path of `hostnames.rtc`, as an Ingress object needs it. */
export interface RtcRoute {
  /** @example "/twirp" */
  path: string;
  /** How the Ingress compares the path. */
  pathType: "Exact" | "Prefix";
  /** Service in namespace livekit. */
  service: string;
  /** Name of the Service's port. */
  port: "http";
}

/**
 * Paths of `hostnames.rtc`; none where RTC is off. The paths of the two programs do not collide, so the Ingress needs
 * no rewriting, for which every controller has its own syntax.
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
