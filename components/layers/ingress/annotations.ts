/**
 * What Ingress objects cannot say themselves: body size, timeouts, WebSockets. One table over the controllers that
 * are known by the name of their class; a controller ignores annotations of another's prefix. No snippets. Pure.
 */
import { isKnownIngressClass, type IngressClass } from "../../domain/ingressClasses";

export interface Needs {
  maxBodyMiB: number;
  /** A /sync waits 30 s by itself, a first one of a large account minutes. */
  readTimeoutSeconds: number;
  websocketServices: string[];
  websocketPaths: string[];
}

type Table = (n: Needs) => Record<string, string>;

const f5Nginx: Table = (n) => ({
  "nginx.org/client-max-body-size": `${n.maxBodyMiB}m`,
  "nginx.org/proxy-read-timeout": `${n.readTimeoutSeconds}s`,
  "nginx.org/proxy-send-timeout": `${n.readTimeoutSeconds}s`,
  // Media of any size pass through without being written to the controller's disk first.
  "nginx.org/proxy-buffering": "false",
  ...(n.websocketServices.length > 0 ? { "nginx.org/websocket-services": n.websocketServices.join(",") } : {}),
});

const communityNginx: Table = (n) => ({
  "nginx.ingress.kubernetes.io/proxy-body-size": `${n.maxBodyMiB}m`,
  "nginx.ingress.kubernetes.io/proxy-read-timeout": String(n.readTimeoutSeconds),
  "nginx.ingress.kubernetes.io/proxy-send-timeout": String(n.readTimeoutSeconds),
});

const contour: Table = (n) => ({
  // Contour answers plain HTTP of a host with TLS too unless told otherwise (measured); nginx's two and haproxy
  // redirect by default.
  "ingress.kubernetes.io/force-ssl-redirect": "true",
  "projectcontour.io/response-timeout": `${n.readTimeoutSeconds}s`,
  ...(n.websocketPaths.length > 0 ? { "projectcontour.io/websocket-routes": n.websocketPaths.join(",") } : {}),
});

const haproxy: Table = (n) => ({
  "haproxy.org/timeout-server": `${n.readTimeoutSeconds}s`,
  "haproxy.org/timeout-tunnel": "3600s",
});

/** Two controllers call their class `nginx`. */
const TABLE: Record<IngressClass, Table[]> = {
  nginx: [f5Nginx, communityNginx],
  contour: [contour],
  haproxy: [haproxy],
  // Neither limits bodies nor responses in time by default, and both pass WebSockets.
  traefik: [],
  cilium: [],
};

export function controllerAnnotations(ingressClass: string, needs: Needs): Record<string, string> {
  return Object.assign({}, ...(isKnownIngressClass(ingressClass) ? TABLE[ingressClass] : []).map((t) => t(needs)));
}
