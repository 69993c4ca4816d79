/** Scrape targets of monitoring itself, and the pods of a target. Pure. */
import type { Edge } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { own, type Target } from "../../core/monitoring";
import { NAMESPACES, PORTS } from "../../core/names";

export function monitoringTargets({ settings }: PlanInput): Target[] {
  if (settings.monitoring.prometheus !== "install") return [];
  // The operator sets the instance label of its pods itself, so `own` would not match them.
  const prometheusPods = (component: string): Target["pods"] => ({
    labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/managed-by": "prometheus-operator" },
  });
  return [
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
  ];
}

/** The pods of a target, as the other end of a connection. */
export const targetPeer = (t: Target): Edge["to"] => {
  if (t.hostNetwork) return { nodes: true };
  if ("labels" in t.pods && t.layer === "monitoring") return { component: t.name, namespace: t.namespace };
  if ("labels" in t.pods) return { labels: t.pods.labels, namespace: t.namespace, label: t.name };
  return { component: t.pods.components[0]!, namespace: t.namespace };
};
