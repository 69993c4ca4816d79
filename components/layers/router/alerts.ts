/** Alert rules of the router and the ingress controller. Pure. */
import type { PlanInput } from "../../core/layer";
import { countOrZero, type RuleGroup } from "../../core/monitoring";
import { isStandby } from "../../domain/dataCentre";

const L = 'layer="router"';

/** Rules about Synapse's processes as the router sees them; a standby runs none. */
const OF_SYNAPSE = ["RouterBackendDown", "RouterErrors"];

export function routerAlerts(input: PlanInput): RuleGroup {
  const { rules, ...group } = everyRule(input);
  return {
    ...group,
    rules: isStandby(input.settings) ? rules.filter((rule) => !OF_SYNAPSE.includes(rule.alert)) : rules,
  };
}

function everyRule({ settings, plan }: PlanInput): RuleGroup {
  const logs = "kubectl logs -n matrix -l app.kubernetes.io/component=haproxy --since=10m";
  return {
    name: "router",
    title: "Router and ingress",
    rules: [
      {
        alert: "RouterDown",
        severity: "critical",
        for: "30s",
        expr: `absent(up{${L}} == 1)`,
        summary: "No router answers: the homeserver is unreachable",
        meaning: "Every request passes through one of the HAProxy pods, and none of them can be scraped.",
        look: ["kubectl get pods -n matrix -l app.kubernetes.io/component=haproxy -o wide", logs],
        act: [
          "If HAProxy refuses its configuration, the log names the line; `pulumi up` of the last good commit restores the old one.",
        ],
      },
      {
        alert: "RouterReplicaDown",
        severity: "warning",
        for: "2m",
        expr: `${countOrZero(`up{${L}} == 1`)} < ${plan.router.replicas}`,
        summary: `{{ $value }} of ${plan.router.replicas} routers answer`,
        meaning: "The others carry the load.",
        look: ["kubectl describe pod -n matrix -l app.kubernetes.io/component=haproxy"],
        act: ["Bring its node back."],
      },
      {
        alert: "RouterBackendDown",
        severity: "critical",
        for: "30s",
        expr: `min by (proxy) (haproxy_backend_status{${L}, state="UP"}) == 0`,
        summary: "Backend {{ $labels.proxy }} has no server on at least one router",
        meaning: "Its paths go to the fallback class, or fail with 503 where there is none.",
        look: ["Alerts SynapseClassDown, SynapseSingleProcessDown", logs],
        act: [
          "If Synapse's pods are ready but the router does not see them, look at DNS: the router finds them by the SRV records of their headless Service.",
        ],
      },
      {
        alert: "RouterQueueing",
        severity: "warning",
        for: "2m",
        expr: `sum by (proxy) (haproxy_backend_current_queue{${L}}) > 20`,
        summary: "{{ $value }} requests queue for {{ $labels.proxy }}",
        meaning: "All servers of the class have reached their connection limit.",
        look: ["SynapseProcessSaturated, SynapseDbPoolExhausted"],
        act: ["Raise the maximum number of replicas of the class."],
      },
      {
        alert: "RouterErrors",
        severity: "critical",
        for: "5m",
        expr: `sum by (proxy) (rate(haproxy_backend_http_responses_total{${L}, code="5xx"}[5m])) / sum by (proxy) (rate(haproxy_backend_http_responses_total{${L}}[5m])) > 0.02`,
        summary: "{{ $value | humanizePercentage }} of the answers of {{ $labels.proxy }} are errors",
        meaning: "Users see errors.",
        look: [logs, "SynapseErrors"],
        act: [
          "The termination state in the log line says whether the server itself answered with the error (--), could not be reached (SC) or was too slow (sH).",
        ],
      },
      {
        alert: "RouterRetries",
        severity: "warning",
        for: "10m",
        expr: `sum by (proxy) (rate(haproxy_backend_retry_warnings_total{${L}}[5m])) > 1`,
        summary: "{{ $value | humanize }} retries a second to {{ $labels.proxy }}",
        meaning: "Servers drop connections; the router hides this from clients by trying another server.",
        look: ["Restarts of the class's pods", logs],
        act: ["Find the process that dies or is overloaded."],
      },
      {
        alert: "RouterConnectionsHigh",
        severity: "warning",
        for: "5m",
        expr: `haproxy_process_current_connections{${L}} / haproxy_process_max_connections{${L}} > 0.8`,
        summary: "{{ $labels.instance }} holds {{ $value | humanizePercentage }} of its connections",
        meaning: "Above the limit, new connections wait in the kernel.",
        look: ["The dashboard of the router"],
        act: ["Raise `overrides.router.replicas` or `ccu`."],
      },
      ...(settings.cluster.install.ingressController
        ? [
            {
              alert: "IngressDown",
              severity: "critical" as const,
              for: "1m",
              expr: 'absent(up{layer="ingress"} == 1)',
              summary: "No ingress controller answers: no public host is reachable",
              meaning: "It serves every public host and terminates TLS.",
              look: ["kubectl get pods,svc -n nginx-ingress -o wide", "kubectl get events -n metallb-system"],
              act: [
                "If the controller is down, read its log. If it is up but unreachable, find the node that announces the address (logs of MetalLB's speakers): only one does at a time.",
              ],
            },
            {
              alert: "IngressReplicaDown",
              severity: "warning" as const,
              for: "3m",
              expr: `${countOrZero('up{layer="ingress"} == 1')} < ${plan.ingress.replicas}`,
              summary: `{{ $value }} of ${plan.ingress.replicas} ingress controllers answer`,
              meaning: "The others carry the load.",
              look: ["kubectl describe pod -n nginx-ingress"],
              act: ["Bring its node back."],
            },
          ]
        : []),
    ],
  };
}
