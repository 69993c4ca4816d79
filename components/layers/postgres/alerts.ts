/** Alert rules of PostgreSQL. Pure. */
import type { PlanInput } from "../../core/layer";
import { countOrZero, type AlertRule, type RuleGroup } from "../../core/monitoring";
import { SERVICES } from "../../core/names";
import { isStandby } from "../../domain/dataCentre";
import { ownStreams } from "./centreAlerts";
import { daysBetweenRuns } from "./schedule";

const L = 'layer="postgres"';
const cluster = SERVICES.postgresCluster;
const status = `kubectl cnpg status ${cluster} -n matrix`;

/**
 * Seconds after which the newest base backup is too old. A daily schedule may be two hours late, a less frequent one a
 * day.
 *
 * @example backupMaxAgeSeconds("0 0 2 * * *") === 26 * 3600
 */
export function backupMaxAgeSeconds(schedule: string): number {
  const days = daysBetweenRuns(schedule);
  return days <= 1 ? 26 * 3600 : (days + 1) * 86400;
}

/** Rules that a standby has no use for: none of its instances is a primary, and its lag has rules of its own. */
const OF_A_PRIMARY = ["PostgresNoPrimary", "PostgresNoSyncStandby", "PostgresReplicationLag"];

export function postgresAlerts({ settings, plan }: PlanInput): RuleGroup {
  const { instances, syncStandbys, maxConnections, walStorageGiB, pooler } = plan.postgres;
  const confirming = syncStandbys === 1 ? "one standby confirms" : `${syncStandbys} standbys confirm`;
  const streams = ownStreams(settings.dataCentre);
  const rules: AlertRule[] = [
    {
      alert: "PostgresNoPrimary",
      severity: "critical",
      for: "1m",
      expr: `${countOrZero(`cnpg_pg_replication_in_recovery{${L}} == 0`)} < 1`,
      summary: "PostgreSQL has no primary: nothing can be written",
      meaning:
        "No instance accepts writes. A failover takes 21 to 32 s (measured), so after a minute without a primary it does not finish by itself.",
      look: [
        status,
        `kubectl get pods -n matrix -l cnpg.io/cluster=${cluster} -o wide`,
        "kubectl logs -n cnpg-system deploy/cnpg-controller-manager --since=10m",
      ],
      act: [
        "If the operator is down, bring it back first: it decides the failover.",
        "If the primary's node is lost but not yet declared lost, declare it: `npm run hosts -- fence <node>`.",
        "If a standby waits for the quorum, bring back the instances that can confirm that they have every commit; do not promote one by hand before that.",
      ],
    },
    {
      alert: "PostgresTwoPrimaries",
      severity: "critical",
      for: "30s",
      expr: `count(cnpg_pg_replication_in_recovery{${L}} == 0) > 1`,
      summary: "{{ $value }} PostgreSQL instances believe that they are primary",
      meaning:
        "Two instances are out of recovery. Synchronous replication keeps the isolated one from acknowledging commits, and the Service points to only one of them, but this must not last.",
      look: [status, "cnpg_pg_replication_in_recovery by pod, in Prometheus"],
      act: [
        `Fence the one that the Service does not point to: \`kubectl cnpg fencing on ${cluster} <instance> -n matrix\`.`,
        "Compare the timelines in the status before lifting the fence; the fenced instance is rebuilt by deleting its pod and volume claims.",
      ],
    },
    {
      alert: "PostgresInstanceDown",
      severity: "warning",
      for: "3m",
      expr: `${countOrZero(`cnpg_collector_up{${L}} == 1`)} < ${instances}`,
      summary: `Fewer than ${instances} PostgreSQL instances answer ({{ $value }})`,
      meaning: `An instance is missing. Writes continue as long as ${confirming} them; fewer further failures are tolerated.`,
      look: [status, `kubectl describe pod -n matrix -l cnpg.io/cluster=${cluster}`],
      act: [
        "Bring the node back, or replace it in `hosts` and run `pulumi up`.",
        "If its disk is lost, delete the pod and its claims: the operator makes a new instance from the primary.",
      ],
    },
    {
      alert: "PostgresNoSyncStandby",
      severity: "critical",
      for: "1m",
      expr: `${streams} < ${syncStandbys}`,
      summary:
        syncStandbys === 1
          ? "No standby follows the primary: commits wait"
          : `Only {{ $value }} standbys follow the primary, and ${syncStandbys} must: commits wait`,
      meaning:
        syncStandbys === 1
          ? "One standby must confirm every commit (`dataDurability: required`). Without any, writes wait, and no acknowledged write can be lost."
          : `${syncStandbys} standbys must confirm every commit (\`dataDurability: required\`). With fewer, writes wait, and no acknowledged write can be lost.`,
      look: [status, "Logs of the standbys: `kubectl logs -n matrix <pod> -c postgres`"],
      act: [
        "Bring one standby back. Its disk may be full, or its timeline may have forked while the other one's machine was drained: PostgresStandbyNotStreaming says how to recognise that, and what to do.",
        "Only if none can come back soon, and if you accept the risk: set `dataDurability: preferred` until one is back.",
      ],
    },
    ...(instances > 2
      ? [
          {
            alert: "PostgresStandbyNotStreaming",
            severity: "warning" as const,
            for: "5m",
            expr: `${streams} < ${instances - 1}`,
            summary: `Only {{ $value }} of ${instances - 1} standbys follow the primary`,
            meaning:
              "A standby does not receive the stream. The operator may still report it as ready. It can have WAL that the new primary never received, because the old primary wrote its last record after the new one had been cut off (`new timeline forked off ... before current recovery point` in the standby's log). Then it never catches up by itself (cloudnative-pg issue 4990), and one standby fewer is left for the next failure.",
            look: [status, "Logs of the standby: `kubectl logs -n matrix <pod> -c postgres`"],
            act: [
              "If the log says that the timeline forked off: `kubectl exec -n matrix <pod> -c postgres -- rm /var/lib/postgresql/data/pgdata/standby.signal && kubectl delete pod -n matrix <pod>`. When it starts, the operator's instance manager then takes it for a former primary and rewinds it (pg_rewind) to the point where the timelines diverge. This takes seconds, even with a large database. Never do this to the primary.",
              "If it still does not follow, let the operator replace it, pod and volumes: `kubectl annotate pod -n matrix <pod> alpha.cnpg.io/unrecoverable=true`. The copy begins at the primary's next checkpoint; `kubectl exec -n matrix <primary> -c postgres -- psql -c checkpoint` triggers it.",
              "Otherwise bring its network or disk back.",
            ],
          },
        ]
      : []),
    {
      alert: "PostgresReplicationLag",
      severity: "warning",
      for: "5m",
      expr: `max by (pod) (cnpg_pg_replication_lag{${L}}) > 30`,
      summary: "{{ $labels.pod }} is {{ $value | humanizeDuration }} behind",
      meaning: "A standby replays slowly. It confirms commits, but a promotion would first have to replay that much.",
      look: ["Disk utilisation of its node", "Long transactions on the standby"],
      act: [
        "Look for a bulk change (purge, background update) and let it finish.",
        "If its disk is the limit, move the instance to a faster one.",
      ],
    },
    {
      alert: "PostgresFailover",
      severity: "info",
      for: "0m",
      expr: `(cnpg_pg_replication_in_recovery{${L}} == 0) and (cnpg_pg_replication_in_recovery{${L}} offset 10m == 1)`,
      summary: "{{ $labels.pod }} became primary within the last ten minutes",
      meaning: "A failover or switchover happened. Expected during upgrades and drains.",
      look: ["kubectl get events -n matrix --field-selector involvedObject.kind=Cluster"],
      act: ["Outside maintenance, find out what happened to the former primary's node."],
    },
    {
      alert: "PostgresConnectionsHigh",
      severity: "warning",
      for: "5m",
      expr: `sum by (pod) (cnpg_backends_total{${L}}) > ${Math.floor(maxConnections * 0.85)}`,
      summary: `{{ $labels.pod }} has {{ $value }} of ${maxConnections} connections in use`,
      meaning: `The plan keeps all pools together below 85 % of max_connections (${maxConnections}) even when every autoscaler is at its maximum. Something outside the plan is connected.`,
      look: [
        "select usename, application_name, state, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc",
      ],
      act: [
        "Close connections that do not belong there.",
        "If overrides have enlarged the pools themselves, raise `overrides.postgres.maxConnections`.",
      ],
    },
    {
      alert: "PoolerDown",
      severity: "warning",
      for: "2m",
      expr: `${countOrZero('up{layer="pooler"} == 1')} < ${pooler.replicas}`,
      summary: `Fewer than ${pooler.replicas} PgBouncer pods answer ({{ $value }})`,
      meaning:
        "Synapse reaches the database through PgBouncer. Connections through a lost pod are open again after 6 to 8 s (measured).",
      look: [`kubectl get pods -n matrix -l cnpg.io/poolerName=${SERVICES.pooler} -o wide`],
      act: [
        "Bring its node back. If all of them are down, everything stops: look at the operator and at the Secret of the database.",
      ],
    },
    {
      alert: "PoolerClientsWaiting",
      severity: "warning",
      for: "2m",
      expr: "max by (pod) (cnpg_pgbouncer_pools_cl_waiting) > 0",
      summary: "{{ $value }} clients wait for a database connection at {{ $labels.pod }}",
      meaning:
        "In session mode every connection in a pool of Synapse occupies one connection of the server. Clients wait when the limit of the pooler or of the server is reached.",
      look: ["cnpg_pgbouncer_pools_sv_active and maxwait by pod", "PostgresConnectionsHigh"],
      act: [
        "Look for a process that was restarted while its old connections stayed open.",
        "Raise the budget as in PostgresConnectionsHigh.",
      ],
    },
    {
      alert: "PostgresLongTransaction",
      severity: "warning",
      for: "5m",
      expr: `max by (pod, application_name) (cnpg_backends_max_tx_duration_seconds{${L}, application_name!~".*(backup|walreceiver|wal).*"}) > 1800`,
      summary: "A transaction of {{ $labels.application_name }} has been open for {{ $value | humanizeDuration }}",
      meaning: "Vacuum cannot remove rows that the transaction may still see: tables grow and queries slow down.",
      look: [
        "select pid, usename, state, xact_start, query from pg_stat_activity where xact_start < now() - interval '30 min'",
      ],
      act: ["If it is idle in a transaction, end it with pg_terminate_backend(pid)."],
    },
    {
      alert: "PostgresTransactionIdAge",
      severity: "warning",
      for: "1h",
      expr: `max by (datname) (cnpg_pg_database_xid_age{${L}}) > 1000000000`,
      summary: "Transaction ids of {{ $labels.datname }} are {{ $value | humanize }} old",
      meaning: "Vacuum has not frozen old rows. At an age of two thousand million PostgreSQL stops accepting writes.",
      look: [
        "select relname, age(relfrozenxid) from pg_class where relkind = 'r' order by 2 desc limit 10",
        "PostgresLongTransaction",
      ],
      act: [
        "End the transactions and replication slots that hold the horizon back, then run `vacuum (freeze, verbose)` on the oldest tables.",
      ],
    },
    {
      alert: "PostgresWalVolumeHalfFull",
      severity: "warning",
      for: "10m",
      expr: `max by (pod) (cnpg_collector_pg_wal{${L}, value="size"}) > ${Math.floor(walStorageGiB * 0.5 * 2 ** 30)}`,
      summary: "WAL of {{ $labels.pod }} takes {{ $value | humanize1024 }}B, over half of its volume",
      meaning: `Checkpoints leave at most a third of the volume (${walStorageGiB} GiB): the rest waits for the archive or for a standby, and when the volume is full, the instance stops.`,
      look: [
        'cnpg_collector_pg_wal_archive_status{value="ready"}: files that wait for the archive',
        "cnpg_pg_replication_slots_pg_wal_lsn_diff: what standbys have not read",
      ],
      act: [
        "If files wait for the archive: see that the backup's target answers and has room; archiving then catches up by itself.",
        "If a standby is behind, continue as in PostgresStandbyNotStreaming.",
      ],
    },
    {
      alert: "PostgresWalVolumeFilling",
      severity: "critical",
      for: "5m",
      expr: `max by (pod) (cnpg_collector_pg_wal{${L}, value="size"}) > ${Math.floor(walStorageGiB * 0.8 * 2 ** 30)}`,
      summary: "WAL of {{ $labels.pod }} takes {{ $value | humanize1024 }}B, over 80 % of its volume",
      meaning: `WAL is kept until it is archived and every slot has read it. When the volume (${walStorageGiB} GiB) is full, the instance stops; the data have their own file system.`,
      look: ["cnpg_pg_replication_slots_pg_wal_lsn_diff", "PostgresWalArchivingFailing"],
      act: [
        "Repair archiving, or drop the slot of a standby that will not come back (delete the instance).",
        "To win time, raise `overrides.postgres.walStorageGiB` and run `pulumi up`: where the hosts are prepared by this stack, their WAL volumes grow while they are in use.",
      ],
    },
  ];
  return {
    name: "postgres",
    title: "PostgreSQL",
    rules: [
      ...(isStandby(settings) ? rules.filter((rule) => !OF_A_PRIMARY.includes(rule.alert)) : rules),
      ...(settings.backups.enabled ? backupRules(settings.backups.schedule, walStorageGiB) : []),
    ],
  };
}

/** WAL files of 16 MiB that may wait for the archive: a tenth of the volume, and what a burst leaves in any case. */
const waitingFiles = (walStorageGiB: number): number => Math.max(16, Math.floor(walStorageGiB * 64 * 0.1));

function backupRules(schedule: string, walStorageGiB: number): AlertRule[] {
  const maxAge = backupMaxAgeSeconds(schedule);
  const waiting = waitingFiles(walStorageGiB);
  return [
    {
      alert: "PostgresWalArchiveBehind",
      severity: "warning",
      for: "15m",
      expr: `max by (pod) (cnpg_collector_pg_wal_archive_status{${L}, value="ready"}) > ${waiting}`,
      summary: "{{ $value }} WAL files of {{ $labels.pod }} wait for the archive",
      meaning: `The archive takes WAL more slowly than it is written, or not at all: ${waiting} files are a tenth of the WAL volume. What waits is lost with the site, and when the volume is full, the instance stops.`,
      look: [status, "Logs of the primary and of the plugin's sidecar: search for archive", "Free space of the store"],
      act: [
        "Make sure that the backup's target answers, has room and accepts its key.",
        "If it only is slow, look for a base backup that runs at the same time, or for a bulk change that writes much WAL.",
      ],
    },
    {
      alert: "PostgresWalArchivingFailing",
      severity: "critical",
      for: "10m",
      expr: `max(cnpg_pg_stat_archiver_last_failed_time{${L}}) > max(cnpg_pg_stat_archiver_last_archived_time{${L}})`,
      summary: "The last attempt to archive WAL failed",
      meaning: "Since then nothing new can be restored from the backup, and WAL accumulates on the primary.",
      look: [status, "Logs of the primary and of the plugin's sidecar: search for archive"],
      act: ["Make sure that the backup's target answers and accepts its key; archiving then continues by itself."],
    },
    {
      alert: "PostgresBackupTooOld",
      severity: "critical",
      for: "15m",
      expr: `time() - max({__name__=~"cnpg_collector_last_available_backup_timestamp|barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", ${L}}) > ${maxAge}`,
      summary: "The newest base backup is {{ $value | humanizeDuration }} old",
      meaning: `Base backups are scheduled (\`${schedule}\`); the newest is older than ${Math.round(maxAge / 3600)} h. A restore from an older one still works but takes longer. Before the first backup, the age counts from 1970.`,
      look: ["kubectl get backups,scheduledbackups -n matrix", "kubectl describe backup -n matrix <last>"],
      act: [
        `Fix the cause that the last backup reports, then take one now: \`kubectl cnpg backup ${cluster} -n matrix\`.`,
      ],
    },
  ];
}
