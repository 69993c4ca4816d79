/**
 * The admin UI: Ketesa's files, and the only way from outside to Synapse's admin API. nginx in the pod checks the
 * client's address, so that the restriction holds behind any ingress controller. Pure.
 */
import { PORTS } from "../../core/names";
import { scriptFrom } from "../../core/scripts";
import { CONF_DIR, healthLocation, headers, location, nginxConf, SECURITY_HEADERS } from "./nginxConf";

/**
 * Ketesa's config.json: this host is the only homeserver. Ketesa must not follow the well-known document, which names
 * the public host, where the admin API does not exist.
 */
export function adminConfig(i: { adminHost: string }): object {
  return { restrictBaseUrl: `https://${i.adminHost}`, wellKnownDiscovery: false };
}

/** Directory into which the init container copies Ketesa's files. */
export const UI_DIR = "/ui";

/**
 * Copies the UI out of its image, whose web server is not nginx. It looks in Ketesa's directory and in that of a plain
 * nginx image.
 */
export const COPY_UI = scriptFrom(__dirname, "copyUi.sh", { UI_DIR }).trimEnd();

export interface AdminNginxInput {
  /** Listen on IPv6 too. */
  ipv6: boolean;
  /** Public host of the homeserver, which Synapse gets as Host. */
  homeserverHost: string;
  /** Complete DNS name of the router's Service. */
  routerFqdn: string;
  /** Client networks with access; an empty list refuses every client. @example ["10.0.0.0/8"] */
  allowCidrs: string[];
  /** Networks of the ingress controller; nginx believes X-Forwarded-For only from there. */
  trustedProxyCidrs: string[];
  /** Networks of machines that only pass requests on: refused, though `allowCidrs` may contain them. */
  neverClients: string[];
  /** Whether the controller lets a load balancer in front of it write X-Forwarded-For. */
  proxiesInFront: boolean;
  /** Largest request body, MiB. */
  maxBodyMiB: number;
}

/** nginx.conf of the admin UI. */
export function adminNginxConf(i: AdminNginxInput): string {
  const secure = headers({
    ...SECURITY_HEADERS,
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-cache",
  });
  const proxy = (port: number): string[] => [
    `proxy_pass http://${i.routerFqdn}:${port};`,
    "proxy_http_version 1.1;",
    `proxy_set_header Host ${i.homeserverHost};`,
    // The address that nginx checked, not a list that the client may have started.
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Proto https;",
    'proxy_set_header Connection "";',
    "proxy_read_timeout 300s;",
    `client_max_body_size ${i.maxBodyMiB}m;`,
    // Neither bodies nor answers are kept on the pod's small disk.
    "proxy_request_buffering off;",
    "proxy_max_temp_file_size 0;",
  ];
  return nginxConf({
    port: PORTS.web,
    ipv6: i.ipv6,
    accessLog: true,
    mimeTypes: true,
    body: [
      ...i.trustedProxyCidrs.map((c) => `set_real_ip_from ${c};`),
      "real_ip_header X-Forwarded-For;",
      // Off: only the last address counts, the one that the ingress controller itself saw. With `on`, nginx would skip
      // an address in the cluster's networks (of a node that translated the client's) and believe the client's claim.
      "real_ip_recursive off;",
      // A request that had the header when it came to the controller passed a proxy that the settings do not name: the
      // address that the controller saw is that proxy's, whoever sits behind it.
      ...(i.proxiesInFront ? [] : ['if ($http_x_forwarded_for ~ ",") { return 403; }']),
      ...i.neverClients.map((c) => `deny ${c};`),
      ...i.allowCidrs.map((c) => `allow ${c};`),
      "deny all;",
      `root ${UI_DIR};`,
      "index index.html;",
      healthLocation(),
      location("= /config.json", [...secure, "default_type application/json;", `alias ${CONF_DIR}/config.json;`]),
      location("/_synapse/admin/", proxy(PORTS.routerAdmin)),
      location("/_matrix/", proxy(PORTS.routerHttp)),
      location("/_synapse/", ["return 404;"]),
      location("/.well-known/", ["return 404;"]),
      location("/", [...secure, "try_files $uri $uri/ /index.html =404;"]),
    ],
  });
}
