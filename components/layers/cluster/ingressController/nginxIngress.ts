/** Configuration of the NGINX ingress controller (F5's nginx/kubernetes-ingress 5.x). Pure. */
import type { rbac } from "@pulumi/kubernetes/types/input";
import type { PodPeer } from "../../../core/edges";
import type { Settings } from "../../../settings/types";
import type { Plan } from "../../../sizing/types";
import { OTHER_HOSTS_MIB } from "../../../domain/bodies";
import { NAMESPACES, PORTS } from "../../../core/names";
import { ingressPool } from "../../../sizing/door";

/** Label app.kubernetes.io/component of the first entrance's pods. */
export const INGRESS_COMPONENT = "ingress-controller";
/** Name of the first entrance's Deployment and Service. */
export const INGRESS_CONTROLLER = "nginx-ingress";
/** Label app.kubernetes.io/name of the pods of all entrances. */
export const INGRESS_APP = "nginx-ingress";
/** Labels of the pods of all entrances. */
export const INGRESS_LABELS = { "app.kubernetes.io/name": INGRESS_APP };
/** The same as an end of an edge. */
export const INGRESS_PODS: PodPeer = {
  labels: INGRESS_LABELS,
  namespace: NAMESPACES.ingress,
  label: INGRESS_COMPONENT,
};

/** Names of an entrance's pods and objects. @param index From 0; the first keeps the plain names. */
export const entranceNames = (index: number): { component: string; objectName: string } => {
  const suffix = index === 0 ? "" : `-${index + 1}`;
  return { component: `${INGRESS_COMPONENT}${suffix}`, objectName: `${INGRESS_CONTROLLER}${suffix}` };
};
/** Its container ports. */
export const INGRESS_PORTS = { http: 80, https: 443, ready: 8081, metrics: PORTS.ingressMetrics } as const;
/** Field `controller` of the IngressClass that this controller serves. */
export const INGRESS_CLASS_CONTROLLER = "nginx.org/ingress-controller";
/** Name of its ConfigMap. */
export const CONFIG_MAP = "nginx-config";

/** The image's user, which owns /etc/nginx and the caches. */
export const NGINX_UID = 101;

/** Namespaces of the Services that are public. */
const ingressNamespaces = (settings: Settings): string[] => [
  NAMESPACES.matrix,
  ...(settings.rtc.enabled ? [NAMESPACES.livekit] : []),
];

export function controllerArgs(settings: Settings): string[] {
  return [
    `-nginx-configmaps=$(POD_NAMESPACE)/${CONFIG_MAP}`,
    `-ingress-class=${settings.cluster.ingressClass}`,
    // Ingress objects of this stack's namespaces only, and Secrets of its own: it may not read others.
    `-watch-namespace=${[NAMESPACES.ingress, ...ingressNamespaces(settings)].join(",")}`,
    `-watch-secret-namespace=${NAMESPACES.ingress}`,
    // Plain Ingress objects only: no CRDs, and no snippets that could rewrite the configuration.
    "-enable-custom-resources=false",
    "-enable-snippets=false",
    // One leader among the pods of all entrances. An Ingress names the first entrance; DNS names all.
    "-report-ingress-status",
    `-external-service=${INGRESS_CONTROLLER}`,
    "-enable-leader-election=true",
    `-leader-election-lock-name=${INGRESS_CONTROLLER}`,
    `-ready-status-port=${INGRESS_PORTS.ready}`,
    "-health-status=true",
    "-enable-prometheus-metrics",
    `-prometheus-metrics-listen-port=${INGRESS_PORTS.metrics}`,
    "-enable-telemetry-reporting=false",
    "-log-format=json",
    ...(settings.cluster.ipFamilies.includes("IPv6") ? [] : ["-disable-ipv6"]),
  ];
}

/**
 * The controller's ConfigMap; keys and defaults are in docs.nginx.com/nginx-ingress-controller, "ConfigMap resource".
 */
export function nginxConfig(settings: Settings, plan: Plan): Record<string, string> {
  return {
    // Each Ingress has its own; this one is for those that are not this stack's.
    "client-max-body-size": `${OTHER_HOSTS_MIB}m`,
    // Bodies pass through as they come. Kept on disk first (nginx's default), anyone's uploads would fill the volume,
    // and a full volume evicts the pod. The router waits for short bodies and bounds the number of long ones.
    "http-snippets": "proxy_request_buffering off;",
    // A client's /sync waits up to its own timeout, usually 30 s. The WebSockets of calls can be silent for longer.
    "proxy-connect-timeout": "5s",
    "proxy-read-timeout": "180s",
    "proxy-send-timeout": "180s",
    "proxy-buffers": "8 16k",
    "proxy-buffer-size": "16k",
    // The default is one process for each core of the host.
    "worker-processes": String(plan.ingress.workers),
    "worker-connections": String(plan.ingress.workerConnections),
    "worker-rlimit-nofile": String(plan.ingress.openFiles),
    "worker-shutdown-timeout": "30s",
    keepalive: "64",
    "server-tokens": "false",
    http2: "true",
    "ssl-protocols": "TLSv1.2 TLSv1.3",
    hsts: "true",
    "hsts-max-age": "31536000",
    "hsts-include-subdomains": "false",
    ...clientAddress(settings),
    "log-format":
      '{"time":"$time_iso8601","client":"$remote_addr","host":"$host","method":"$request_method","uri":"$uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr"}',
    "log-format-escaping": "json",
  };
}

/**
 * How the controller learns a client's address. By default it is that of the connection (externalTrafficPolicy Local),
 * and headers from outside are not believed.
 */
function clientAddress({ ingress: { trustedProxies, proxyProtocol } }: Settings): Record<string, string> {
  if (trustedProxies.length === 0) return {};
  return {
    "set-real-ip-from": trustedProxies.join(","),
    ...(proxyProtocol
      ? { "proxy-protocol": "true", "real-ip-header": "proxy_protocol" }
      : // The last address that none of the proxies wrote of themselves: earlier ones are a client's own claims.
        { "real-ip-header": "X-Forwarded-For", "real-ip-recursive": "true" }),
  };
}

/** Annotations by which MetalLB gives a Service these addresses. */
export function addressAnnotations(settings: Settings, addresses: readonly string[]): Record<string, string> {
  const pool = ingressPool(settings.addressPools);
  if (!pool) return {};
  return {
    "metallb.io/address-pool": pool.name,
    // MetalLB refuses a request for fewer families than the Service has.
    ...(addresses.length === settings.cluster.ipFamilies.length
      ? { "metallb.io/loadBalancerIPs": addresses.join(",") }
      : {}),
  };
}

const rule = (apiGroups: string[], resources: string[], verbs: string[]): rbac.v1.PolicyRule => ({
  apiGroups,
  resources,
  verbs,
});
const READ = ["get", "list", "watch"];

/** Permissions for Ingress objects; those for the controller's custom resources are left out. */
export const controllerClusterRules: rbac.v1.PolicyRule[] = [
  rule([""], ["services", "namespaces", "pods"], READ),
  rule(["discovery.k8s.io"], ["endpointslices"], READ),
  rule(["networking.k8s.io"], ["ingresses", "ingressclasses"], READ),
  rule(["networking.k8s.io"], ["ingresses/status"], ["update"]),
  rule([""], ["events"], ["create", "patch", "list"]),
];
/**
 * Permissions in its own namespace, where the certificates are and no other Secret of this stack. They cannot be
 * narrowed to names: the controller lists and watches a namespace's Secrets, which RBAC allows for all names or none.
 */
export const controllerRules: rbac.v1.PolicyRule[] = [
  rule([""], ["secrets", "configmaps"], READ),
  rule(["coordination.k8s.io"], ["leases"], [...READ, "create", "update"]),
  // The controller writes its version into the labels of its own pod, and reads the pod's owner.
  rule([""], ["pods"], ["update"]),
  rule(["apps"], ["replicasets", "daemonsets"], ["get"]),
];

export const INGRESS_NAMESPACE = NAMESPACES.ingress;
