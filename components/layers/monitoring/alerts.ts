/** Alert rules of monitoring itself. Pure. */
import type { PlanInput } from "../../core/layer";
import type { RuleGroup } from "../../core/monitoring";

export function monitoringAlerts({ settings }: PlanInput): RuleGroup[] {
  if (settings.monitoring.prometheus !== "install") return [];
  return [
    {
      name: "monitoring",
      title: "Monitoring itself",
      rules: [
        {
          alert: "Watchdog",
          severity: "info",
          for: "0m",
          expr: "vector(1)",
          summary: "Alerting works",
          meaning: "Always fires. If the receiver does not get it, other alerts do not arrive either.",
          look: ["Alertmanager's page, Status"],
          act: ["Connect it to a service that notifies you when it stops arriving."],
        },
        {
          alert: "AlertsNotDelivered",
          severity: "critical",
          for: "5m",
          expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
          summary: "Alertmanager cannot deliver alerts by {{ $labels.integration }}",
          meaning: "Alerts are visible only on Alertmanager's own page.",
          look: ["kubectl logs -n monitoring -l app.kubernetes.io/name=alertmanager -c alertmanager --since=10m"],
          act: ["Make sure that `monitoring.alertWebhook` answers and accepts the token."],
        },
        {
          alert: "PrometheusRuleFailing",
          severity: "warning",
          for: "10m",
          expr: "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
          summary: "A rule cannot be evaluated",
          meaning: "An alert of its group may not fire.",
          look: ["Prometheus' page, Rules"],
          act: ["Usually labels have changed, and the expression finds two series instead of one: correct it."],
        },
        {
          alert: "KubeStateMetricsDown",
          severity: "warning",
          for: "5m",
          expr: 'absent(up{layer="kubernetes"} == 1)',
          summary: "kube-state-metrics does not report the state of Kubernetes' objects",
          meaning: "Until it is back, alerts about nodes, pods, Jobs, TURN and autoscalers cannot fire.",
          look: ["kubectl describe pod -n monitoring -l app.kubernetes.io/component=kube-state-metrics"],
          act: ["It can start on any node; find out what prevents it."],
        },
        {
          alert: "PrometheusDown",
          severity: "warning",
          for: "5m",
          expr: 'count(up{job="prometheus"} == 1) < 2',
          summary: "One of two Prometheus servers is unavailable",
          meaning: "Only the other one evaluates alerts.",
          look: ["kubectl get pods -n monitoring -o wide"],
          act: ["Bring its node back. If the node is up, a full volume is the usual reason."],
        },
      ],
    },
  ];
}
