/** Alert rules of the object store. Pure. */
import { type RuleGroup } from "../../core/monitoring";
import type { PlanInput } from "../../core/layer";

const M = 'layer="minio"';

export function objectStoreAlerts({ plan }: PlanInput): RuleGroup[] {
  if (!plan.minio) return [];
  const info = "mc admin info <alias>";
  const full = plan.backups?.onSite
    ? "When it is full, uploads fail, and so does the archive of PostgreSQL, which stops once its WAL volume is full too."
    : "When it is full, uploads fail; backups are elsewhere.";
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
          summary: "The object store accepts no writes: uploads fail",
          meaning: "More drives are offline than parity covers.",
          look: [info, "kubectl get pods -n minio -o wide"],
          act: ["Bring the nodes back; each one heals by itself once it has returned. Do not delete anything."],
        },
        {
          alert: "MinioNodeOffline",
          severity: "warning",
          for: "5m",
          expr: `max(minio_cluster_nodes_offline_total{${M}}) > 0`,
          summary: "{{ $value }} MinIO nodes are offline",
          meaning: "Reads and writes continue: MinIO tolerates the loss of one node.",
          look: [info],
          act: ["Bring the node back before another one fails."],
        },
        {
          alert: "MinioDriveOffline",
          severity: "warning",
          for: "5m",
          expr: `max(minio_cluster_drive_offline_total{${M}}) > 0`,
          summary: "{{ $value }} drives are offline",
          meaning: "Redundancy is reduced until the drive is replaced and healed.",
          look: [info, "dmesg of the node"],
          act: ["Replace the drive and mount the new, empty one at the same path; healing starts by itself."],
        },
        {
          alert: "MinioFullInTwoWeeks",
          severity: "warning",
          for: "1h",
          expr: `predict_linear(minio_cluster_capacity_usable_free_bytes{${M}}[3d], 14 * 86400) < 0`,
          summary: "At the rate of the last three days the object store is full within two weeks",
          meaning: `{{ $value | humanize1024 }}B would be missing by then. ${full}`,
          look: [info, "mc du --versions <alias>/synapse-media <alias>/synapse-backups"],
          act: ["Find which of the two grows, then continue as in MinioCapacityLow."],
        },
        {
          alert: "MinioCapacityLow",
          severity: "warning",
          for: "30m",
          expr: `max(minio_cluster_capacity_usable_free_bytes{${M}}) / max(minio_cluster_capacity_usable_total_bytes{${M}}) < 0.2`,
          summary: "{{ $value | humanizePercentage }} of the object store is free",
          meaning: `The plan expects ${plan.minio.growthGiBPerYear} GiB more of media per year${plan.backups?.onSite ? `, and ${plan.backups.storeGiB} GiB of backups after one` : ""}. ${full}`,
          look: ["Growth, in the dashboard Overview"],
          act: [
            "Add a server pool, or shorten media retention.",
            ...(plan.backups?.onSite
              ? [
                  "Give backups a store of their own (`backups.target`), or keep fewer (`backups.schedule`, `retentionDays`).",
                ]
              : []),
          ],
        },
        {
          alert: "MinioCapacityCritical",
          severity: "critical",
          for: "10m",
          expr: `max(minio_cluster_capacity_usable_free_bytes{${M}}) / max(minio_cluster_capacity_usable_total_bytes{${M}}) < 0.08`,
          summary: "{{ $value | humanizePercentage }} of the object store is free",
          meaning: `Uploads will fail soon. ${full}`,
          look: [info],
          act: ["Purge remote media: admin API `purge_media_cache`.", "Then continue as in MinioCapacityLow."],
        },
      ],
    },
  ];
}
