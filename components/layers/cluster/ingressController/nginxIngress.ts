/** Configuration of the NGINX ingress controller (F5's nginx/kubernetes-ingress 5.x). Pure. */
import type { rbac } from "@pulumi/kubernetes/types/input";
import type { AddressPoolSettings, Settings } from "../../../settings/types";
import type { Plan } from "../../../sizing/types";
import { OTHER_HOSTS_MIB } from "../../../domain/bodies";
import { NAMESPACES, PORTS } from "../../../core/names";

/** Label app.kubernetes.io/component of its pods. */
export const INGRESS_COMPONENT = "ingress-controller";
/** Name of its Deployment and Service. */
export const INGRESS_CONTROLLER = "nginx-ingress";
/** Its container ports. */
export const INGRESS_PORTS = { http: 80, https: 443, ready: 8081, metrics: PORTS.ingressMetrics } as const;
/** Field `controller` of the IngressClass that this controller serves. */
export const INGRESS_CLASS_CONTROLLER = "nginx.org/ingress-controller";
/** Name of its ConfigMap. */
export const CONFIG_MAP = "nginx-config";

/** The image's user, which owns /etc/nginx and the caches. */
export const NGINX_UID = 101;

export function controllerArgs(settings: Settings): string[] {
  return [
    `-nginx-configmaps=$(POD_NAMESPACE)/${CONFIG_MAP}`,
    `-ingress-class=${settings.cluster.ingressClass}`,
    // Plain Ingress objects only: no CRDs, and no snippets that could rewrite the configuration.
    "-enable-custom-resources=false",
    "-enable-snippets=false",
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
    // One process for each requested core. The default is one for each core of the host.
    "worker-processes": String(Math.max(1, Math.ceil(plan.ingress.cpu))),
    "worker-connections": "16384",
    "worker-rlimit-nofile": "65536",
    "worker-shutdown-timeout": "30s",
    keepalive: "64",
    "server-tokens": "false",
    http2: "true",
    "ssl-protocols": "TLSv1.2 TLSv1.3",
    hsts: "true",
    "hsts-max-age": "31536000",
    "hsts-include-subdomains": "false",
    // The client's address is that of the connection (externalTrafficPolicy Local); headers from outside are not
    // trusted.
    "log-format":
      '{"time":"$time_iso8601","client":"$remote_addr","host":"$host","method":"$request_method","uri":"$uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr"}',
    "log-format-escaping": "json",
  };
}

/** The pool for the controller's address: the first for `ingress`, else the first for `any`, else the first. */
export function ingressPool(pools: AddressPoolSettings[]): string | undefined {
  return (pools.find((p) => p.use.includes("ingress")) ?? pools.find((p) => p.use.includes("any")) ?? pools[0])?.name;
}

const rule = (apiGroups: string[], resources: string[], verbs: string[]): rbac.v1.PolicyRule => ({
  apiGroups,
  resources,
  verbs,
});
const READ = ["get", "list", "watch"];

/** Permissions for Ingress objects; those for the controller's custom resources are left out. */
export const controllerClusterRules: rbac.v1.PolicyRule[] = [
  rule([""], ["services", "secrets", "configmaps", "namespaces", "pods"], READ),
  rule(["discovery.k8s.io"], ["endpointslices"], READ),
  rule(["networking.k8s.io"], ["ingresses", "ingressclasses"], READ),
  rule(["networking.k8s.io"], ["ingresses/status"], ["update"]),
  rule([""], ["events"], ["create", "patch", "list"]),
];
export const controllerRules: rbac.v1.PolicyRule[] = [
  rule(["coordination.k8s.io"], ["leases"], [...READ, "create", "update"]),
  // The controller writes its version into the labels of its own pod, and reads the pod's owner.
  rule([""], ["pods"], ["update"]),
  rule(["apps"], ["replicasets", "daemonsets"], ["get"]),
];

export const INGRESS_NAMESPACE = NAMESPACES.ingress;
