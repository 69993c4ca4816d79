/** Alerts about pods, jobs, autoscalers, disruption budgets and certificates. Pure. */
import type { PlanInput } from "../../core/layer";
import type { RuleGroup } from "../../core/monitoring";
import { CERTIFICATE_END, certificateEndsMatter } from "./tls/publicTls";

/** Days before the end: an authority of one's own company may take weeks. */
const ENDING_DAYS = 21;
const OURS = 'namespace=~"matrix|minio|livekit|coturn|monitoring"';

export const clusterAlerts = ({ settings }: PlanInput): RuleGroup[] => [
  {
    name: "kubernetes",
    title: "Kubernetes",
    rules: [
      {
        alert: "AutoscalerAtMaximum",
        severity: "warning",
        for: "15m",
        expr: `kube_horizontalpodautoscaler_status_current_replicas{${OURS}} >= kube_horizontalpodautoscaler_spec_max_replicas{${OURS}} and kube_horizontalpodautoscaler_spec_max_replicas{${OURS}} > kube_horizontalpodautoscaler_spec_min_replicas{${OURS}}`,
        summary: "{{ $labels.horizontalpodautoscaler }} is at its maximum of {{ $value }}",
        meaning: "It cannot add pods when the load rises further.",
        look: ["kubectl get hpa -A"],
        act: ["If there are more users than planned: `pulumi config set ccu <n>` and `pulumi up`."],
      },
      {
        alert: "DrainBlocked",
        severity: "warning",
        for: "30m",
        expr: `kube_poddisruptionbudget_status_pod_disruptions_allowed{${OURS}} == 0 and kube_poddisruptionbudget_status_expected_pods{${OURS}} > 1`,
        summary: "No pod of {{ $labels.poddisruptionbudget }} may be evicted",
        meaning: "One of its pods is already missing, so a drain of a node would wait.",
        look: ["kubectl get pdb -A", "kubectl get pods -n <namespace>"],
        act: ["Bring the missing pod back. Do not delete the budget."],
      },
      {
        alert: "ContainerCrashLooping",
        severity: "warning",
        for: "5m",
        expr: `max_over_time(kube_pod_container_status_waiting_reason{${OURS}, reason="CrashLoopBackOff"}[5m]) == 1`,
        summary: "{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }} keeps crashing",
        meaning: "It fails soon after each start.",
        look: ["kubectl logs -n <namespace> <pod> -c <container> --previous"],
        act: ["If it began with a change, run `pulumi up` from the last good commit."],
      },
      {
        alert: "ContainerOutOfMemory",
        severity: "warning",
        for: "0m",
        expr: `(kube_pod_container_status_last_terminated_reason{${OURS}, reason="OOMKilled"} == 1) and on (namespace, pod, container) increase(kube_pod_container_status_restarts_total{${OURS}}[10m]) > 0`,
        summary:
          "{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }} was killed because of its memory",
        meaning: "It used more than its memory limit (by default 1.5 times its request).",
        look: ["Memory of the container over the last hours"],
        act: ["Raise memoryMiB in `overrides` for its pool or layer."],
      },
      {
        alert: "PodPending",
        severity: "warning",
        for: "10m",
        expr: `kube_pod_status_phase{${OURS}, phase="Pending"} == 1`,
        summary: "{{ $labels.namespace }}/{{ $labels.pod }} cannot be scheduled",
        meaning: "No node with its role has room, or its volume is on a node that is down.",
        look: ["kubectl describe pod -n <namespace> <pod>"],
        act: ["Bring the node back or add one with the role; `npm run plan` names the smallest addition."],
      },
      {
        alert: "JobFailed",
        severity: "warning",
        for: "1m",
        expr: `kube_job_status_failed{${OURS}} > 0 and on (namespace, job_name) kube_job_status_succeeded{${OURS}} == 0`,
        summary: "Job {{ $labels.namespace }}/{{ $labels.job_name }} failed",
        meaning: "A step of a rollout (configuration check, bucket, schema) did not succeed.",
        look: ["kubectl logs -n <namespace> job/<name>"],
        act: ["Correct the error that it reports and run `pulumi up` again."],
      },
      ...(certificateEndsMatter(settings)
        ? [
            {
              alert: "CertificateEnding",
              severity: "critical" as const,
              for: "0m",
              expr: `${CERTIFICATE_END} - time() < ${ENDING_DAYS} * 86400`,
              summary: "The certificate {{ $labels.certificate }} ends in {{ $value | humanizeDuration }}",
              meaning:
                "Nothing renews it by itself. Without it clients, or the server that it is about, refuse every connection.",
              look: [
                "The end of the one that is served: `openssl s_client -connect <host>:443 </dev/null | openssl x509 -noout -enddate`",
              ],
              act: [
                "`public names` (tls.mode own-ca): run `pulumi up`, which renews it in its last 60 days.",
                "`own authority`: make another one (`importSecrets.caPrivateKey` and `importSecrets.caCertificate`), have every client trust it, then run `pulumi up`.",
                "`tls.certificate` or `trustedAuthorities`: get the new one, set it, run `pulumi up`.",
              ],
            },
          ]
        : []),
      ...(settings.cluster.install.certManager
        ? [
            {
              alert: "CertificateExpiring",
              severity: "critical" as const,
              for: "1h",
              expr: "certmanager_certificate_expiration_timestamp_seconds - time() < 14 * 86400",
              summary:
                "Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} expires in {{ $value | humanizeDuration }}",
              meaning: "It should have been renewed 30 days before it expires; renewal has failed since then.",
              look: ["kubectl describe certificate,order,challenge -A"],
              act: [
                "ACME: the public host must answer on port 80 under /.well-known/acme-challenge.",
                "Any other: check that its issuer is ready, `kubectl get issuer,clusterissuer -A`.",
              ],
            },
          ]
        : []),
    ],
  },
];
