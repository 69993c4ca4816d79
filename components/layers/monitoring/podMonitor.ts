/**
 * Spec of a PodMonitor, from one target. Pods and not Services: a pod behind two Services is still scraped once. Pure.
 */
import type { Settings } from "../../settings/types";
import type { Target } from "../../core/monitoring";

const COMPONENT = "app.kubernetes.io/component";
const META_COMPONENT = "__meta_kubernetes_pod_label_app_kubernetes_io_component";

export function podSelector(t: Target, instance: string): object {
  if ("labels" in t.pods) return { matchLabels: t.pods.labels };
  return {
    matchLabels: { "app.kubernetes.io/instance": instance },
    matchExpressions: [{ key: COMPONENT, operator: "In", values: [...t.pods.components].sort() }],
  };
}

function relabelings(t: Target, serverName: string): object[] {
  const layer = { action: "replace", targetLabel: "layer", replacement: t.layer };
  if (t.synapse) {
    return [
      layer,
      {
        action: "replace",
        sourceLabels: [META_COMPONENT],
        regex: "synapse-(.+)",
        replacement: "$1",
        targetLabel: "job",
      },
      { action: "replace", targetLabel: "instance", replacement: serverName },
      { action: "replace", sourceLabels: ["__meta_kubernetes_pod_name"], targetLabel: "index" },
    ];
  }
  return [
    layer,
    t.job
      ? { action: "replace", targetLabel: "job", replacement: t.job }
      : { action: "replace", sourceLabels: [META_COMPONENT], targetLabel: "job" },
    { action: "replace", sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" },
    // A process is known by its pod (or, of a node's exporter, its node), not by an address that changes with it.
    {
      action: "replace",
      sourceLabels: [t.layer === "node" ? "__meta_kubernetes_pod_node_name" : "__meta_kubernetes_pod_name"],
      targetLabel: "instance",
    },
  ];
}

/**
 * Where scrapes are rare, a busy machine may take its time: the exporter of a database took 8 s on cores with ten times
 * their load.
 */
const timeoutSeconds = (interval: number): number => Math.max(10, Math.floor(interval / 2));

export function podMonitorSpec(t: Target, settings: Settings): object {
  const interval = settings.monitoring.scrapeIntervalSeconds;
  return {
    selector: podSelector(t, settings.instance),
    namespaceSelector: { matchNames: [t.namespace] },
    podMetricsEndpoints: t.paths.map((path) => ({
      portNumber: t.port,
      path,
      scheme: "http",
      interval: `${interval}s`,
      scrapeTimeout: `${timeoutSeconds(interval)}s`,
      // kube-state-metrics names what it reports on: its own pod's labels must not take their place.
      honorLabels: t.layer === "kubernetes",
      relabelings: relabelings(t, settings.serverName),
    })),
  };
}
