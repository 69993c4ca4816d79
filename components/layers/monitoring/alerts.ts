/** What is alerted on of monitoring itself. Pure. */
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
          meaning: "Fires always. If the receiver does not hear of it, alerts do not arrive.",
          look: ["Alertmanager's page, status"],
          act: ["Connect it to something that reports silence."],
        },
        {
          alert: "AlertsNotDelivered",
          severity: "critical",
          for: "5m",
          expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
          summary: "Alertmanager cannot deliver by {{ $labels.integration }}",
          meaning: "Alerts are seen only in its own page.",
          look: ["kubectl logs -n monitoring -l app.kubernetes.io/name=alertmanager -c alertmanager --since=10m"],
          act: ["See that `monitoring.alertWebhook` answers and takes the token."],
        },
        {
          alert: "PrometheusRuleFailing",
          severity: "warning",
          for: "10m",
          expr: "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
          summary: "A rule cannot be evaluated",
          meaning: "An alert of its group may not fire.",
          look: ["Prometheus' page, Rules"],
          act: ["Usually two series where one was expected after a change of labels: correct the expression."],
        },
        {
          alert: "KubeStateMetricsDown",
          severity: "warning",
          for: "5m",
          expr: 'absent(up{layer="kubernetes"} == 1)',
          summary: "The state of Kubernetes' objects is not reported",
          meaning: "No alert about nodes, pods, Jobs, TURN and autoscalers works meanwhile.",
          look: ["kubectl describe pod -n monitoring -l app.kubernetes.io/component=kube-state-metrics"],
          act: ["It starts anew on any node; see what keeps it from it."],
        },
        {
          alert: "PrometheusDown",
          severity: "warning",
          for: "5m",
          expr: 'count(up{job="prometheus"} == 1) < 2',
          summary: "One of two Prometheus servers is away",
          meaning: "The other one alerts alone.",
          look: ["kubectl get pods -n monitoring -o wide"],
          act: ["Bring its node back; a full volume is the usual reason."],
        },
      ],
    },
  ];
}
