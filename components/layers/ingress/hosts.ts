/** Which public host leads to which Service: plain data, one entry per host. Pure. */
import type { Settings } from "../../settings/types";
import { NAMESPACES, SERVICES } from "../../core/names";
import { servedServerName } from "../../domain/entranceNames";
import { rtcRoutes } from "../rtc/foci";

/** A public path and the Service that answers it. */
export interface PublicPath {
  /** Absolute path of the URL. */
  path: string;
  pathType: "Prefix" | "Exact";
  /** Name of the Service, in the namespace of the host's Ingress. */
  service: string;
  /** Name of the Service's port. */
  port: string;
  /** One phrase: the purpose. */
  why: string;
}

/** A public host name with its paths: one Ingress. */
export interface PublicHost {
  /** Name of the Ingress. */
  name: string;
  /** DNS name. */
  host: string;
  /** Namespace of the Ingress: that of its Services. */
  namespace: string;
  paths: PublicPath[];
  /** Services whose connections become WebSockets. */
  websockets: string[];
  /** Whether media are uploaded through it; others take small bodies only. */
  media: boolean;
}

/** Everything below a path, to the Service's port `http`. */
const to = (path: string, service: string, why: string): PublicPath => ({
  path,
  pathType: "Prefix",
  service,
  port: "http",
  why,
});

/**
 * Everything that is public. Nothing else can be reached from outside: no admin API, no metrics, no replication.
 *
 * @throws Error when one host name is given for Services in two namespaces
 */
export function publicHosts(settings: Settings): PublicHost[] {
  const { hostnames } = settings;
  const wellKnown = to("/.well-known/matrix", SERVICES.wellKnown, "discovery");
  const wanted: PublicHost[] = [
    {
      name: "homeserver",
      host: hostnames.homeserver,
      namespace: NAMESPACES.matrix,
      websockets: [],
      media: true,
      paths: [
        to("/_matrix", SERVICES.router, settings.federation.enabled ? "clients and other servers" : "clients"),
        to("/_synapse/client", SERVICES.router, "SSO, password reset and unsubscribe pages"),
        wellKnown,
      ],
    },
    ...servedServerName(settings).map((host) => ({
      name: "server-name",
      host,
      namespace: NAMESPACES.matrix,
      websockets: [],
      media: false,
      paths: [wellKnown],
    })),
    ...(settings.web.elementWeb.enabled
      ? [
          {
            name: "web",
            host: hostnames.web,
            namespace: NAMESPACES.matrix,
            websockets: [],
            media: false,
            paths: [to("/", SERVICES.elementWeb, "Element Web")],
          },
        ]
      : []),
    ...(settings.web.admin.enabled
      ? [
          {
            name: "admin",
            host: hostnames.admin,
            namespace: NAMESPACES.matrix,
            websockets: [],
            // The admin UI uploads pictures.
            media: true,
            paths: [to("/", SERVICES.admin, "admin UI; its own nginx refuses addresses outside web.admin.allowCidrs")],
          },
        ]
      : []),
    ...(settings.rtc.enabled
      ? [
          {
            name: "rtc",
            host: hostnames.rtc,
            namespace: NAMESPACES.livekit,
            websockets: [SERVICES.livekit],
            media: false,
            paths: rtcRoutes(settings).map((r) => ({
              ...r,
              why: r.service === SERVICES.jwt ? "tokens for calls" : "signalling of calls",
            })),
          },
        ]
      : []),
  ];
  return wanted.reduce(mergeByHost, []);
}

/** One Ingress for each host: in some controllers two objects for the same host conflict. */
function mergeByHost(hosts: PublicHost[], next: PublicHost): PublicHost[] {
  const same = hosts.find((h) => h.host === next.host);
  if (!same) return [...hosts, next];
  if (same.namespace !== next.namespace) {
    throw new Error(
      `hostnames: "${next.host}" is given for both ${same.name} (namespace ${same.namespace}) and ${next.name} (namespace ${next.namespace}). An Ingress reaches Services of its own namespace only. Give ${next.name} another host name.`,
    );
  }
  const paths = [...same.paths, ...next.paths.filter((p) => !same.paths.some((q) => q.path === p.path))];
  return hosts.map((h) =>
    h === same
      ? { ...same, paths, websockets: [...same.websockets, ...next.websockets], media: same.media || next.media }
      : h,
  );
}
