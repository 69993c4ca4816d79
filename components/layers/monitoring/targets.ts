/**
 * Everything that is scraped, once: the monitors, the network's edges and the tests read this table. Pure.
 */
import { INGRESS_COMPONENT } from "../cluster/ingressController/nginxIngress";
import type { Edge } from "../../core/edges";
import { NAMESPACES, PORTS, SERVICES, synapseService } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";

export interface Target {
  /** Name of the PodMonitor. */
  name: string;
  namespace: string;
  /** Pods: our own by app.kubernetes.io/component (several: any of them), others by their labels. */
  pods: { components: string[] } | { labels: Record<string, string> };
  /** Container port, which the pod declares. */
  port: number;
  paths: string[];
  /** Label `job` of what is read; absent: the pods' component. */
  job?: string;
  /** Label `layer`: what the alert rules select by. */
  layer: string;
  /** On the nodes' own network. */
  hostNetwork?: boolean;
  /** Metrics of Synapse carry the labels of its own dashboards: instance (server), job (class), index (process). */
  synapse?: boolean;
}

const matrix = NAMESPACES.matrix;
const own = (...components: string[]): Target["pods"] => ({ components });

export function targets(settings: Settings, plan: Plan): Target[] {
  const installed = settings.monitoring.prometheus === "install";
  // The operator sets the instance label of its pods itself.
  const prometheusPods = (component: string): Target["pods"] => ({
    labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/managed-by": "prometheus-operator" },
  });
  return [
    {
      name: "synapse",
      namespace: matrix,
      pods: own(...plan.synapse.pools.map((p) => synapseService(p.class))),
      port: PORTS.synapseMetrics,
      paths: ["/_synapse/metrics"],
      layer: "synapse",
      synapse: true,
    },
    {
      name: "router",
      namespace: matrix,
      pods: own(SERVICES.router),
      port: PORTS.routerHealth,
      paths: ["/metrics"],
      layer: "router",
    },
    {
      name: "postgres",
      namespace: matrix,
      pods: { labels: { "cnpg.io/cluster": SERVICES.postgresCluster, "cnpg.io/podRole": "instance" } },
      port: PORTS.postgresMetrics,
      paths: ["/metrics"],
      job: "postgres",
      layer: "postgres",
    },
    {
      name: "pooler",
      namespace: matrix,
      pods: { labels: { "cnpg.io/poolerName": SERVICES.pooler } },
      port: PORTS.poolerMetrics,
      paths: ["/metrics"],
      job: "pooler",
      layer: "pooler",
    },
    {
      name: "redis-synapse",
      namespace: matrix,
      pods: own(SERVICES.redisSynapse),
      port: PORTS.redisExporter,
      paths: ["/metrics"],
      layer: "redis",
    },
    {
      name: "redis-synapse-proxy",
      namespace: matrix,
      pods: own(SERVICES.redisSynapseMaster),
      port: PORTS.routerHealth,
      paths: ["/metrics"],
      layer: "redis-proxy",
    },
    ...(plan.minio
      ? [
          {
            name: "minio",
            namespace: NAMESPACES.minio,
            pods: own(SERVICES.minioHeadless),
            port: PORTS.s3,
            paths: ["/minio/v2/metrics/cluster", "/minio/v2/metrics/node"],
            layer: "minio",
          },
        ]
      : []),
    ...(plan.rtc
      ? [
          {
            name: "livekit",
            namespace: NAMESPACES.livekit,
            pods: own(SERVICES.livekit),
            port: PORTS.livekitMetrics,
            paths: ["/metrics"],
            layer: "livekit",
            hostNetwork: true,
          },
          {
            name: "redis-livekit",
            namespace: NAMESPACES.livekit,
            pods: own(SERVICES.redisLivekit),
            port: PORTS.redisExporter,
            paths: ["/metrics"],
            layer: "redis",
          },
          {
            name: "redis-livekit-proxy",
            namespace: NAMESPACES.livekit,
            pods: own(SERVICES.redisLivekitMaster),
            port: PORTS.routerHealth,
            paths: ["/metrics"],
            layer: "redis-proxy",
          },
        ]
      : []),
    ...(settings.cluster.install.ingressController
      ? [
          {
            name: "ingress",
            namespace: NAMESPACES.ingress,
            pods: own(INGRESS_COMPONENT),
            port: PORTS.ingressMetrics,
            paths: ["/metrics"],
            job: "ingress",
            layer: "ingress",
          },
        ]
      : []),
    ...(settings.cluster.install.certManager
      ? [
          {
            name: "cert-manager",
            namespace: NAMESPACES.certManager,
            pods: own("cert-manager"),
            port: 9402,
            paths: ["/metrics"],
            layer: "cert-manager",
          },
        ]
      : []),
    ...(installed
      ? [
          {
            name: "node-exporter",
            namespace: NAMESPACES.monitoring,
            pods: own("node-exporter"),
            port: PORTS.nodeExporter,
            paths: ["/metrics"],
            layer: "node",
            hostNetwork: true,
          },
          {
            name: "kube-state-metrics",
            namespace: NAMESPACES.monitoring,
            pods: own("kube-state-metrics"),
            port: PORTS.kubeStateMetrics,
            paths: ["/metrics"],
            layer: "kubernetes",
          },
          {
            name: "prometheus",
            namespace: NAMESPACES.monitoring,
            pods: prometheusPods("prometheus"),
            port: PORTS.prometheus,
            paths: ["/metrics"],
            job: "prometheus",
            layer: "monitoring",
          },
          {
            name: "alertmanager",
            namespace: NAMESPACES.monitoring,
            pods: prometheusPods("alertmanager"),
            port: PORTS.alertmanager,
            paths: ["/metrics"],
            job: "alertmanager",
            layer: "monitoring",
          },
        ]
      : []),
  ];
}

export const targetPeer = (t: Target): Edge["to"] => {
  if (t.hostNetwork) return { nodes: true };
  if ("labels" in t.pods && t.layer === "monitoring") return { component: t.name, namespace: t.namespace };
  if ("labels" in t.pods) return { labels: t.pods.labels, namespace: t.namespace, label: t.name };
  return { component: t.pods.components[0]!, namespace: t.namespace };
};
