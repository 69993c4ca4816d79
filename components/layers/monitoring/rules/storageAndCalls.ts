import { SERVICES } from "../../../core/names";
import { jwtServiceEnabled } from "../../../domain/calls";
import type { RuleGroup, RuleInput } from "./types";
import { countOrZero } from "./types";

const M = 'layer="minio"';

export function minioRules({ plan }: RuleInput): RuleGroup[] {
  if (!plan.minio) return [];
  const info = "mc admin info <alias>";
  return [
    {
      name: "minio",
      title: "Object store",
      rules: [
        {
          alert: "MinioWriteQuorumLost",
          severity: "critical",
          for: "1m",
          expr: `min(minio_cluster_health_status{${M}}) == 0 or absent(up{${M}} == 1)`,
          summary: "The object store takes no writes: uploads fail",
          meaning: "More drives are away than parity covers.",
          look: [info, "kubectl get pods -n minio -o wide"],
          act: ["Bring nodes back; each that returns heals by itself. Nothing is to be deleted."],
        },
        {
          alert: "MinioNodeOffline",
          severity: "warning",
          for: "5m",
          expr: `max(minio_cluster_nodes_offline_total{${M}}) > 0`,
          summary: "{{ $value }} MinIO nodes are offline",
          meaning: "Reads and writes go on (one node may be lost).",
          look: [info],
          act: ["Bring the node back before another one goes."],
        },
        {
          alert: "MinioDriveOffline",
          severity: "warning",
          for: "5m",
          expr: `max(minio_cluster_drive_offline_total{${M}}) > 0`,
          summary: "{{ $value }} drives are offline",
          meaning: "Redundancy is less until the drive is replaced and healed.",
          look: [info, "dmesg of the node"],
          act: ["Replace the drive, mount it empty at the same path; healing starts by itself."],
        },
        {
          alert: "MinioCapacityLow",
          severity: "warning",
          for: "30m",
          expr: `max(minio_cluster_capacity_usable_free_bytes{${M}}) / max(minio_cluster_capacity_usable_total_bytes{${M}}) < 0.2`,
          summary: "{{ $value | humanizePercentage }} of the object store is free",
          meaning: `The plan expects ${plan.minio.growthGiBPerYear} GiB more a year.`,
          look: ["Growth in dashboard Overview"],
          act: ["Add a server pool of nodes, or shorten media retention."],
        },
        {
          alert: "MinioCapacityCritical",
          severity: "critical",
          for: "10m",
          expr: `max(minio_cluster_capacity_usable_free_bytes{${M}}) / max(minio_cluster_capacity_usable_total_bytes{${M}}) < 0.08`,
          summary: "{{ $value | humanizePercentage }} of the object store is free",
          meaning: "Uploads fail soon.",
          look: [info],
          act: ["Purge remote media: admin API `purge_media_cache`.", "Then as in MinioCapacityLow."],
        },
      ],
    },
  ];
}

export function callRules({ settings, plan }: RuleInput): RuleGroup[] {
  const turn = plan.turn
    ? [
        {
          alert: "TurnNodeDown",
          severity: "warning" as const,
          for: "3m",
          expr: `kube_daemonset_status_number_unavailable{namespace="coturn", daemonset="${SERVICES.coturn}"} > 0`,
          summary: "coturn is away on {{ $value }} nodes",
          meaning:
            "Clients know every node's address and try the others; calls relayed by the lost one break and are dialled again.",
          look: ["kubectl get pods -n coturn -o wide"],
          act: ["Bring the node back, or take it out of `hosts`."],
        },
        {
          alert: "TurnDown",
          severity: "critical" as const,
          for: "1m",
          expr: `kube_daemonset_status_number_available{namespace="coturn", daemonset="${SERVICES.coturn}"} == 0`,
          summary: "No TURN server is available",
          meaning: "Calls work only between clients that reach each other directly.",
          look: ["kubectl describe daemonset -n coturn coturn"],
          act: ["All at once is configuration: the log names the line."],
        },
      ]
    : [];
  const rtc = plan.rtc
    ? [
        {
          alert: "SfuNodeDown",
          severity: "warning" as const,
          for: "3m",
          expr: `${countOrZero('up{layer="livekit"} == 1')} < ${plan.rtc.nodes}`,
          summary: `{{ $value }} of ${plan.rtc.nodes} SFU nodes answer`,
          meaning: "Calls on the lost node are set up again on another; capacity is less.",
          look: ["kubectl get pods -n livekit -o wide"],
          act: ["Bring the node back."],
        },
        {
          alert: "SfuDown",
          severity: "critical" as const,
          for: "1m",
          expr: 'absent(up{layer="livekit"} == 1)',
          summary: "No SFU answers: no group calls",
          meaning: "No LiveKit process is scraped.",
          look: [
            "kubectl logs -n livekit -l app.kubernetes.io/component=livekit --since=10m",
            "RedisNoMaster for redis-livekit",
          ],
          act: ["LiveKit needs its Redis to start a room: look there first."],
        },
        ...(jwtServiceEnabled(settings)
          ? [
              {
                alert: "CallTokensUnavailable",
                severity: "critical" as const,
                for: "1m",
                expr: `kube_deployment_status_replicas_available{namespace="livekit", deployment="${SERVICES.jwt}"} == 0`,
                summary: "Nobody can join a call: lk-jwt-service is away",
                meaning: "It exchanges a Matrix identity for a token of the SFU.",
                look: ["kubectl logs -n livekit -l app.kubernetes.io/component=lk-jwt-service --since=10m"],
                act: ["See that it reaches the homeserver's public name from inside the cluster."],
              },
            ]
          : []),
        {
          alert: "SfuNodeLoad",
          severity: "warning" as const,
          for: "10m",
          expr: 'rate(process_cpu_seconds_total{layer="livekit"}[5m]) > 0.8 * ' + String(Math.max(1, plan.rtc.cpu)),
          summary: "SFU {{ $labels.instance }} uses {{ $value | humanize }} cores",
          meaning: "Media suffers before the machine is full.",
          look: ["livekit_participant_total by instance"],
          act: ["Add a call node to `hosts`, or raise `ccu`."],
        },
      ]
    : [];
  return turn.length + rtc.length > 0 ? [{ name: "calls", title: "Calls", rules: [...turn, ...rtc] }] : [];
}
