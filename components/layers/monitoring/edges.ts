import { type Edge, type Peer, tcp, udp } from "../../core/edges";
import type { StackInput } from "../../core/layer";
import { NAMESPACES, PORTS } from "../../core/names";
import type { Settings } from "../../settings/types";
import { httpTo } from "../cluster/reach/proxy";
import { ALERTMANAGER, PROMETHEUS } from "./prometheusSpec";
import { targetPeer } from "./targets";
import { targets } from "./watched";

const namespace = NAMESPACES.monitoring;

/** The Prometheus that reads the metrics: this stack's, or one that exists, by its own labels. */
export const prometheusPeer = ({ monitoring: { prometheus, existing } }: Settings): Peer =>
  prometheus === "install"
    ? { component: PROMETHEUS, namespace }
    : { labels: existing.labels, namespace: existing.namespace, label: "prometheus" };

export function monitoringEdges(input: StackInput): Edge[] {
  const { settings } = input;
  if (!settings.monitoring.enabled) return [];
  const prometheus = prometheusPeer(settings);
  const alertmanager: Peer = { component: ALERTMANAGER, namespace };
  const scrapes = targets(input).flatMap((t): Edge[] =>
    "components" in t.pods && !t.hostNetwork
      ? t.pods.components.map((component) => ({
          from: prometheus,
          to: { component, namespace: t.namespace },
          ports: tcp(t.port),
          why: `metrics of ${t.name}`,
        }))
      : [{ from: prometheus, to: targetPeer(t), ports: tcp(t.port), why: `metrics of ${t.name}` }],
  );
  if (settings.monitoring.prometheus !== "install") return scrapes;
  return [
    ...scrapes,
    { from: prometheus, to: { apiServer: true }, ports: tcp(6443), why: "finding what to scrape" },
    { from: prometheus, to: alertmanager, ports: tcp(PORTS.alertmanager), why: "alerts" },
    { from: alertmanager, to: alertmanager, ports: [...tcp(9094), ...udp(9094)], why: "agreeing on who notifies" },
    ...[settings.monitoring.alertWebhook, settings.monitoring.heartbeatUrl]
      .filter((url) => url !== undefined)
      .map((url): Edge => ({ from: alertmanager, ...httpTo(url, settings), why: "notifications" })),
    {
      from: { component: "kube-state-metrics", namespace },
      to: { apiServer: true },
      ports: tcp(6443),
      why: "state of Kubernetes' objects",
    },
    ...(settings.monitoring.grafanaDashboards && settings.monitoring.grafana
      ? [
          {
            from: { component: "grafana", namespace },
            to: prometheus,
            ports: tcp(PORTS.prometheus),
            why: "dashboards",
          },
        ]
      : []),
  ];
}
