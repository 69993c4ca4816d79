/** The documents under /.well-known/matrix and the server that gives them out. Pure. */
import { PORTS } from "../../core/names";
import { CONF_DIR, headers, location, healthLocation, nginxConf } from "./nginxConf";

/** An entry of `org.matrix.msc4143.rtc_foci`: where clients find the SFU of this server. */
export interface RtcFocus {
  type: "livekit";
  livekit_service_url: string;
}

export interface WellKnownInput {
  /** Public host name of the homeserver. */
  homeserverHost: string;
  federation: boolean;
  /** Where calls go; empty when the stack runs no SFU. */
  rtcFoci: RtcFocus[];
  support?: { email?: string; matrixId?: string; page?: string };
  jitsiDomain?: string;
}

/** File name (= last part of the path) to document. What is not served is absent: clients get 404. */
export function wellKnownDocuments(i: WellKnownInput): Record<string, object> {
  const support = supportDocument(i.support ?? {});
  return {
    client: {
      "m.homeserver": { base_url: `https://${i.homeserverHost}` },
      ...(i.rtcFoci.length > 0 ? { "org.matrix.msc4143.rtc_foci": i.rtcFoci } : {}),
      ...(i.jitsiDomain ? { "im.vector.riot.jitsi": { preferredDomain: i.jitsiDomain } } : {}),
    },
    // Delegation to 443: other servers need no second public port. Without federation there is nothing to find.
    ...(i.federation ? { server: { "m.server": `${i.homeserverHost}:443` } } : {}),
    ...(Object.keys(support).length > 0 ? { support } : {}),
  };
}

function supportDocument({ email, matrixId, page }: NonNullable<WellKnownInput["support"]>): object {
  const address = { ...(email ? { email_address: email } : {}), ...(matrixId ? { matrix_id: matrixId } : {}) };
  return {
    ...(Object.keys(address).length > 0 ? { contacts: [{ role: "m.role.admin", ...address }] } : {}),
    ...(page ? { support_page: page } : {}),
  };
}

export function wellKnownNginxConf(i: { ipv6: boolean; documents: string[] }): string {
  // The specification requires these on all client-facing documents: web clients of other origins read them.
  const cors = headers({
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization",
    // Short enough that a change (a new SFU, federation switched on) is seen within the hour.
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
  });
  return nginxConf({
    port: PORTS.web,
    ipv6: i.ipv6,
    accessLog: false,
    mimeTypes: false,
    body: [
      healthLocation(),
      ...i.documents.map((d) =>
        location(`= /.well-known/matrix/${d}`, [
          ...cors,
          "default_type application/json;",
          "if ($request_method = OPTIONS) { return 204; }",
          `alias ${CONF_DIR}/${d}.json;`,
        ]),
      ),
      location("/", ["return 404;"]),
    ],
  });
}
