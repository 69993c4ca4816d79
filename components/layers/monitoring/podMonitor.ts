/** PodMonitors from targets; with ServiceMonitors, a pod behind two Services would be scraped twice. Pure. */
import type { Settings } from "../../settings/types";
import type { Target } from "../../core/monitoring";

const COMPONENT = "app.kubernetes.io/component";
const META_COMPONENT = "__meta_kubernetes_pod_label_app_kubernetes_io_component";

/** Selector of a target's pods. @param instance The stack's, `settings.instance`. */
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
    // Names a process by its pod (a node exporter by its node), because its address changes.
    {
      action: "replace",
      sourceLabels: [t.layer === "node" ? "__meta_kubernetes_pod_node_name" : "__meta_kubernetes_pod_name"],
      targetLabel: "instance",
    },
  ];
}

/**
 * Timeout of a scrape, at least 10 s (Prometheus' default) and half of the interval: on cores with ten times their
 * load, the exporter of a database took 8 s.
 */
const timeoutSeconds = (interval: number): number => Math.max(10, Math.floor(interval / 2));

/** Spec of the PodMonitor of one target. */
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
      // kube-state-metrics labels its metrics with the objects that it reports on; its own pod must not replace them.
      honorLabels: t.layer === "kubernetes",
      relabelings: relabelings(t, settings.serverName),
    })),
  };
}
