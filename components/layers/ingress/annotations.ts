/**
 * Annotations for what the Ingress API has no fields for: body size, timeouts, WebSockets. One table for the
 * controllers that are known by the name of their class; each ignores annotations with another controller's prefix. No
 * snippets. Pure.
 */
import { isKnownIngressClass, type IngressClass } from "../../domain/ingressClasses";

/** What a host needs from the controller. */
export interface Needs {
  /** Largest request body, MiB. */
  maxBodyMiB: number;
  /** Seconds without data from the backend. A /sync waits for 30 s; the first one of a large account takes minutes. */
  readTimeoutSeconds: number;
  /** Services whose connections become WebSockets. */
  websocketServices: string[];
  /** Paths of these Services. */
  websocketPaths: string[];
}

type Table = (n: Needs) => Record<string, string>;

const f5Nginx: Table = (n) => ({
  "nginx.org/client-max-body-size": `${n.maxBodyMiB}m`,
  "nginx.org/proxy-read-timeout": `${n.readTimeoutSeconds}s`,
  "nginx.org/proxy-send-timeout": `${n.readTimeoutSeconds}s`,
  // Media pass through without being written to the controller's disk first.
  "nginx.org/proxy-buffering": "false",
  ...(n.websocketServices.length > 0 ? { "nginx.org/websocket-services": n.websocketServices.join(",") } : {}),
});

const communityNginx: Table = (n) => ({
  "nginx.ingress.kubernetes.io/proxy-body-size": `${n.maxBodyMiB}m`,
  // Bodies pass through as they come, as in all other controllers here: what is kept on the controller's disk first
  // fills it. F5's has no annotation for it; this stack's own says it in its ConfigMap.
  "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
  "nginx.ingress.kubernetes.io/proxy-read-timeout": String(n.readTimeoutSeconds),
  "nginx.ingress.kubernetes.io/proxy-send-timeout": String(n.readTimeoutSeconds),
});

const contour: Table = (n) => ({
  // By default Contour also answers plain HTTP for a host with TLS (measured); both nginx controllers and haproxy
  // redirect.
  "ingress.kubernetes.io/force-ssl-redirect": "true",
  "projectcontour.io/response-timeout": `${n.readTimeoutSeconds}s`,
  ...(n.websocketPaths.length > 0 ? { "projectcontour.io/websocket-routes": n.websocketPaths.join(",") } : {}),
});

const haproxy: Table = (n) => ({
  "haproxy.org/timeout-server": `${n.readTimeoutSeconds}s`,
  "haproxy.org/timeout-tunnel": "3600s",
});

/** By class. Two controllers, F5's and the community's, use the class `nginx`. */
const TABLE: Record<IngressClass, Table[]> = {
  nginx: [f5Nginx, communityNginx],
  contour: [contour],
  haproxy: [haproxy],
  // By default both allow bodies of any size and responses of any duration, and pass WebSockets.
  traefik: [],
  cilium: [],
};

/** Annotations of an Ingress; empty for a class that is not in the table. */
export function controllerAnnotations(ingressClass: string, needs: Needs): Record<string, string> {
  return Object.assign({}, ...(isKnownIngressClass(ingressClass) ? TABLE[ingressClass] : []).map((t) => t(needs)));
}
