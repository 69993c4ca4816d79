/** What is alerted on of the object store. Pure. */
import { type RuleGroup } from "../../core/monitoring";
import type { PlanInput } from "../../core/layer";

const M = 'layer="minio"';

export function objectStoreAlerts({ plan }: PlanInput): RuleGroup[] {
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
