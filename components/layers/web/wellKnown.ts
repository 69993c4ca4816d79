/** The documents under /.well-known/matrix, and the nginx configuration that serves them. Pure. */
import { PORTS } from "../../core/names";
import { merged } from "../synapse/extra/values";
import { CONF_DIR, headers, location, healthLocation, nginxConf } from "./nginxConf";

/** An entry of `org.matrix.msc4143.rtc_foci`: tells clients where this server's SFU is. */
export interface RtcFocus {
  type: "livekit";
  /** URL of the token service. @example "https://rtc.example.com" */
  livekit_service_url: string;
}

/** What the documents depend on. */
export interface WellKnownInput {
  /** Public host name of the homeserver. */
  homeserverHost: string;
  /**
   * Tell other programs where this homeserver is, if they know only its server name: other homeservers, and the token
   * service of calls, which asks who a user is. Without the document they try port 8448 of the server name.
   */
  discoverable: boolean;
  /** SFUs for calls; empty when the stack runs none. */
  rtcFoci: RtcFocus[];
  /** Contact of the administrators. @default no support document */
  support?: { email?: string; matrixId?: string; page?: string };
  /** Jitsi server of conferences. @default none is named @example "meet.example.com" */
  jitsiDomain?: string;
  /** Further keys of the documents (`web.wellKnown`). @default none */
  more?: { client?: Record<string, unknown>; server?: Record<string, unknown> };
}

/** Documents by the last part of their path. Clients get 404 for absent ones. */
export function wellKnownDocuments(i: WellKnownInput): Record<string, object> {
  const support = supportDocument(i.support ?? {});
  const with_ = (own: object, more: Record<string, unknown> = {}): object => merged(own, more) as object;
  const client = {
    "m.homeserver": { base_url: `https://${i.homeserverHost}` },
    ...(i.rtcFoci.length > 0 ? { "org.matrix.msc4143.rtc_foci": i.rtcFoci } : {}),
    ...(i.jitsiDomain ? { "im.vector.riot.jitsi": { preferredDomain: i.jitsiDomain } } : {}),
  };
  return {
    client: with_(client, i.more?.client),
    // Leads servers to port 443, so that they need no second public port.
    ...(i.discoverable ? { server: with_({ "m.server": `${i.homeserverHost}:443` }, i.more?.server) } : {}),
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

/** nginx.conf for the documents. @param i.documents Their names, as wellKnownDocuments returns them. */
export function wellKnownNginxConf(i: { ipv6: boolean; documents: string[] }): string {
  // The specification requires these on all client-facing documents, since web clients of other origins read them.
  const cors = headers({
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization",
    // Clients see a change (a new SFU, federation switched on) within an hour.
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
