import type { RuleGroup, RuleInput } from "./types";

const OURS = 'namespace=~"matrix|minio|livekit|coturn|monitoring"';

export function clusterRules({ settings }: RuleInput): RuleGroup[] {
  const disks = 'fstype=~"ext4|xfs|btrfs"';
  return [
    {
      name: "nodes", title: "Machines",
      rules: [
        {
          alert: "NodeNotReady", severity: "critical", for: "1m", expr: 'kube_node_status_condition{condition="Ready", status="true"} == 0',
          summary: "Node {{ $labels.node }} is not ready", meaning: "Its pods are replaced elsewhere after 30 s, except those of which only one may exist: they wait until the node is declared out of service.",
          look: ["kubectl describe node <node>", "ssh <node> journalctl -u kubelet -n 200"], act: ["If the machine is off or cut off for good: `npm run hosts -- fence <node>`, which makes sure of it and sets the taint.", "If only the kubelet is: restart it."],
        },
        {
          alert: "NodeOutOfService", severity: "warning", for: "30m", expr: 'kube_node_spec_taint{key="node.kubernetes.io/out-of-service"} == 1',
          summary: "Node {{ $labels.node }} is still declared out of service", meaning: "It was fenced and is not back: every layer has one machine less.", look: ["kubectl describe node <node>"], act: ["Repair it and lift the taint, or take it out of `hosts`."],
        },
        {
          alert: "NodeCordoned", severity: "info", for: "4h", expr: "kube_node_spec_unschedulable == 1",
          summary: "Node {{ $labels.node }} has been cordoned for hours", meaning: "It was drained or cordoned, and not taken back into service.", look: ["kubectl get nodes"], act: ["kubectl uncordon <node>"],
        },
        {
          alert: "DiskFilling", severity: "warning", for: "30m", expr: `predict_linear(node_filesystem_avail_bytes{${disks}}[6h], 4 * 86400) < 0 and node_filesystem_avail_bytes{${disks}} / node_filesystem_size_bytes{${disks}} < 0.4`,
          summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is full within four days at this rate", meaning: "Databases and object store keep their data on local disks.", look: ["du -x on the node", "PostgresWalVolumeFilling, MinioCapacityLow"], act: ["Find what grows; enlarge the volume or add a disk before it is full."],
        },
        {
          alert: "DiskAlmostFull", severity: "critical", for: "5m", expr: `node_filesystem_avail_bytes{${disks}} / node_filesystem_size_bytes{${disks}} < 0.1`,
          summary: "{{ $value | humanizePercentage }} of {{ $labels.mountpoint }} on {{ $labels.instance }} is free", meaning: "The kubelet evicts pods below its threshold, and a database without space stops: the operator then says `Not enough disk space` and promotes nobody. Measured: 13 s after space was free again it served, and nothing acknowledged was lost.", look: ["du -x on the node", "kubectl get cluster -n matrix"], act: ["Free space now: old container images (`crictl rmi --prune`), journals (`journalctl --vacuum-size=500M`).", "Nothing of a database's volume is to be deleted by hand, least of all from `pg_wal`: enlarge the volume, or have the operator make that instance anew elsewhere (PostgresStandbyNotStreaming)."],
        },
        {
          alert: "DiskReadOnly", severity: "critical", for: "1m", expr: `node_filesystem_readonly{${disks}} == 1`,
          summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is read-only", meaning: "The kernel made it so after errors.", look: ["dmesg on the node"], act: ["Take the node out (drain, fence), replace the disk."],
        },
        {
          alert: "NodeMemoryLow", severity: "critical", for: "5m", expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.05",
          summary: "{{ $value | humanizePercentage }} of the memory of {{ $labels.instance }} is available", meaning: "The kernel kills processes next.", look: ["kubectl top pods -A --sort-by=memory"], act: ["Something uses more than its request: ContainerOutOfMemory names it. Move it or raise the request."],
        },
        {
          alert: "NodeClockWrong", severity: "critical", for: "5m", expr: "abs(node_timex_offset_seconds) > 0.25 or node_timex_sync_status == 0",
          summary: "The clock of {{ $labels.instance }} is off or not synchronised", meaning: "Sentinel, leases, tokens and event timestamps rely on it.", look: ["chronyc tracking on the node"], act: ["See that NTP (UDP 123) is open and the servers answer."],
        },
      ],
    },
    {
      name: "kubernetes", title: "Kubernetes",
      rules: [
        {
          alert: "AutoscalerAtMaximum", severity: "warning", for: "15m", expr: `kube_horizontalpodautoscaler_status_current_replicas{${OURS}} >= kube_horizontalpodautoscaler_spec_max_replicas{${OURS}} and kube_horizontalpodautoscaler_spec_max_replicas{${OURS}} > kube_horizontalpodautoscaler_spec_min_replicas{${OURS}}`,
          summary: "{{ $labels.horizontalpodautoscaler }} is at its maximum of {{ $value }}", meaning: "There is no room for more load.", look: ["kubectl get hpa -A"], act: ["More users than planned: `pulumi config set ccu <n>` and `pulumi up`."],
        },
        {
          alert: "DrainBlocked", severity: "warning", for: "30m", expr: `kube_poddisruptionbudget_status_pod_disruptions_allowed{${OURS}} == 0 and kube_poddisruptionbudget_status_expected_pods{${OURS}} > 1`,
          summary: "No pod of {{ $labels.poddisruptionbudget }} may be evicted", meaning: "One is already away: a drain of a node would wait.", look: ["kubectl get pdb -A", "kubectl get pods -n <namespace>"], act: ["Bring the missing pod back. Do not delete the budget."],
        },
        {
          alert: "ContainerCrashLooping", severity: "warning", for: "5m", expr: `max_over_time(kube_pod_container_status_waiting_reason{${OURS}, reason="CrashLoopBackOff"}[5m]) == 1`,
          summary: "{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }} keeps ending", meaning: "It fails soon after each start.", look: ["kubectl logs -n <namespace> <pod> -c <container> --previous"], act: ["If it began with a change, `pulumi up` of the last good commit."],
        },
        {
          alert: "ContainerOutOfMemory", severity: "warning", for: "0m", expr: `(kube_pod_container_status_last_terminated_reason{${OURS}, reason="OOMKilled"} == 1) and on (namespace, pod, container) increase(kube_pod_container_status_restarts_total{${OURS}}[10m]) > 0`,
          summary: "{{ $labels.container }} in {{ $labels.namespace }}/{{ $labels.pod }} was killed for memory", meaning: "It used more than its limit (1.5 times its request).", look: ["Memory of the container over the last hours"], act: ["Raise memoryMiB in `overrides` for its pool or layer."],
        },
        {
          alert: "PodPending", severity: "warning", for: "10m", expr: `kube_pod_status_phase{${OURS}, phase="Pending"} == 1`,
          summary: "{{ $labels.namespace }}/{{ $labels.pod }} finds no place", meaning: "No node of its role has room, or its volume is on a node that is away.", look: ["kubectl describe pod -n <namespace> <pod>"], act: ["Bring the node back or add one of the role; `npm run plan` names the smallest addition."],
        },
        {
          alert: "JobFailed", severity: "warning", for: "1m", expr: `kube_job_status_failed{${OURS}} > 0 and on (namespace, job_name) kube_job_status_succeeded{${OURS}} == 0`,
          summary: "Job {{ $labels.namespace }}/{{ $labels.job_name }} failed", meaning: "A step of a rollout (configuration check, bucket, schema) did not succeed.", look: ["kubectl logs -n <namespace> job/<name>"], act: ["Correct what it says and run `pulumi up` again."],
        },
        ...(settings.cluster.install.certManager ? [{
          alert: "CertificateExpiring", severity: "critical" as const, for: "1h", expr: "certmanager_certificate_expiration_timestamp_seconds - time() < 14 * 86400",
          summary: "Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} expires in {{ $value | humanizeDuration }}", meaning: "It is renewed 30 days before; renewal has failed since.", look: ["kubectl describe certificate,order,challenge -A"], act: ["ACME: the public host must answer on port 80 under /.well-known/acme-challenge.", "Any other: see that its issuer is ready, `kubectl get issuer,clusterissuer -A`."],
        }] : []),
      ],
    },
    ...(settings.monitoring.prometheus === "install" ? [{
      name: "monitoring", title: "Monitoring itself",
      rules: [
        {
          alert: "Watchdog", severity: "info" as const, for: "0m", expr: "vector(1)",
          summary: "Alerting works", meaning: "Fires always. If the receiver does not hear of it, alerts do not arrive.", look: ["Alertmanager's page, status"], act: ["Connect it to something that reports silence."],
        },
        {
          alert: "AlertsNotDelivered", severity: "critical" as const, for: "5m", expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
          summary: "Alertmanager cannot deliver by {{ $labels.integration }}", meaning: "Alerts are seen only in its own page.", look: ["kubectl logs -n monitoring -l app.kubernetes.io/name=alertmanager -c alertmanager --since=10m"], act: ["See that `monitoring.alertWebhook` answers and takes the token."],
        },
        {
          alert: "PrometheusRuleFailing", severity: "warning" as const, for: "10m", expr: "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
          summary: "A rule cannot be evaluated", meaning: "An alert of its group may not fire.", look: ["Prometheus' page, Rules"], act: ["Usually two series where one was expected after a change of labels: correct the expression."],
        },
        {
          alert: "KubeStateMetricsDown", severity: "warning" as const, for: "5m", expr: 'absent(up{layer="kubernetes"} == 1)',
          summary: "The state of Kubernetes' objects is not reported", meaning: "No alert about nodes, pods, Jobs, TURN and autoscalers works meanwhile.", look: ["kubectl describe pod -n monitoring -l app.kubernetes.io/component=kube-state-metrics"], act: ["It starts anew on any node; see what keeps it from it."],
        },
        {
          alert: "PrometheusDown", severity: "warning" as const, for: "5m", expr: 'count(up{job="prometheus"} == 1) < 2',
          summary: "One of two Prometheus servers is away", meaning: "The other one alerts alone.", look: ["kubectl get pods -n monitoring -o wide"], act: ["Bring its node back; a full volume is the usual reason."],
        },
      ],
    }] : []),
  ];
}
