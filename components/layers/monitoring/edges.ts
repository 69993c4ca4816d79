import { type Edge, outgoing, type Peer, tcp, udp } from "../../core/edges";
import type { StackInput } from "../../core/layer";
import { NAMESPACES, PORTS } from "../../core/names";
import { ALERTMANAGER, PROMETHEUS } from "./prometheusSpec";
import { targetPeer } from "./targets";
import { targets } from "./watched";

const namespace = NAMESPACES.monitoring;

/**
 * This stack's Prometheus. An existing one can scrape the pods if its own pods are in namespace `monitoring` and have
 * this component label.
 */
export const PROMETHEUS_PEER: Peer = { component: PROMETHEUS, namespace };

export function monitoringEdges(input: StackInput): Edge[] {
  const { settings } = input;
  if (!settings.monitoring.enabled) return [];
  const alertmanager: Peer = { component: ALERTMANAGER, namespace };
  const scrapes = targets(input).flatMap((t): Edge[] =>
    "components" in t.pods && !t.hostNetwork
      ? t.pods.components.map((component) => ({
          from: PROMETHEUS_PEER,
          to: { component, namespace: t.namespace },
          ports: tcp(t.port),
          why: `metrics of ${t.name}`,
        }))
      : [{ from: PROMETHEUS_PEER, to: targetPeer(t), ports: tcp(t.port), why: `metrics of ${t.name}` }],
  );
  if (settings.monitoring.prometheus !== "install") return scrapes;
  return [
    ...scrapes,
    { from: PROMETHEUS_PEER, to: { apiServer: true }, ports: tcp(6443), why: "finding what to scrape" },
    { from: PROMETHEUS_PEER, to: alertmanager, ports: tcp(PORTS.alertmanager), why: "alerts" },
    { from: alertmanager, to: alertmanager, ports: [...tcp(9094), ...udp(9094)], why: "agreeing on who notifies" },
    ...[settings.monitoring.alertWebhook, settings.monitoring.heartbeatUrl]
      .filter((url) => url !== undefined)
      .map((url): Edge => ({ from: alertmanager, ...outgoing(url, settings.cluster.domain), why: "notifications" })),
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
            to: PROMETHEUS_PEER,
            ports: tcp(PORTS.prometheus),
            why: "dashboards",
          },
        ]
      : []),
  ];
}
