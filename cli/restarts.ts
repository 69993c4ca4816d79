/**
 * Which changed fields restart pods, and what that costs by the plan: of the workloads, and of the objects from which
 * operators make them. Pure.
 */
import type { Plan } from "../components/sizing/types";

/**
 * Parameters that PostgreSQL reads at its start only: context `postmaster` in `postgres --describe-config` of version
 * 18, and that of pg_stat_statements. CloudNativePG restarts the instances for them; for the others it reloads.
 */
const READ_AT_START = new Set(
  `archive_mode autovacuum_freeze_max_age autovacuum_multixact_freeze_max_age autovacuum_worker_slots bonjour
   bonjour_name cluster_name commit_timestamp_buffers data_directory data_sync_retry dynamic_shared_memory_type
   event_source external_pid_file hba_file hot_standby huge_page_size huge_pages ident_file io_max_combine_limit
   io_max_concurrency io_method jit_provider listen_addresses logging_collector max_active_replication_origins
   max_connections max_files_per_process max_locks_per_transaction max_logical_replication_workers
   max_notify_queue_pages max_pred_locks_per_transaction max_prepared_transactions max_replication_slots max_wal_senders
   max_worker_processes min_dynamic_shared_memory multixact_member_buffers multixact_offset_buffers notify_buffers
   pg_stat_statements.max port recovery_target recovery_target_action recovery_target_inclusive recovery_target_lsn
   recovery_target_name recovery_target_time recovery_target_timeline recovery_target_xid reserved_connections
   serializable_buffers shared_buffers shared_memory_type shared_preload_libraries subtransaction_buffers
   superuser_reserved_connections track_activity_query_size track_commit_timestamp transaction_buffers
   unix_socket_directories unix_socket_group unix_socket_permissions wal_buffers wal_decode_buffer_size wal_level
   wal_log_hints`.split(/\s+/),
);

const PARAMETER = /^spec\.postgresql\.parameters\.(.+)$/;

/** CloudNativePG compares the pod that it would make with the one that runs; these fields are in the pod. */
const IN_INSTANCE =
  /^spec\.(affinity|topologySpreadConstraints|priorityClassName|schedulerName|seccompProfile|env|envFrom|projectedVolumeTemplate|probes|stopDelay|plugins|podSecurityContext|securityContext)\b/;

/** The Prometheus operator writes these into the configuration, which its reloader loads; they are not in the pod. */
const RELOADED =
  /^spec\.(alerting|evaluationInterval|externalLabels|podMonitor\w*|probe(Namespace)?Selector|remoteWrite|remoteRead|replicas|rule\w*|scrape\w*|serviceMonitor\w*)\b/;

type Reason = string | undefined;
interface Changed {
  path: string;
  to?: string;
}

const usual = ({ path, to }: Changed): Reason =>
  /(^|\.)(image|imageName)$/.test(path)
    ? `new image ${to}`
    : /\.resources\.(limits|requests)\./.test(path) && !path.includes("volumeClaimTemplate")
      ? "other resources"
      : undefined;

/** By kind of an operator's object: why its pods restart when this field changes; undefined where they do not. */
const OPERATED: Record<string, (field: Changed) => Reason> = {
  Cluster: (field) => {
    const parameter = PARAMETER.exec(field.path)?.[1];
    if (parameter !== undefined) return READ_AT_START.has(parameter) ? `PostgreSQL's ${parameter}` : undefined;
    if (/^spec\.postgresql\.shared_preload_libraries\b/.test(field.path))
      return "PostgreSQL's shared_preload_libraries";
    return usual(field) ?? (IN_INSTANCE.test(field.path) ? field.path.replace("spec.", "") : undefined);
  },
  // PgBouncer's own parameters are reloaded.
  Pooler: (field) =>
    field.path.startsWith("spec.template.")
      ? (usual(field) ?? field.path.replace("spec.template.spec.", ""))
      : undefined,
  Prometheus: (field) =>
    field.path.startsWith("spec.") && !RELOADED.test(field.path)
      ? (usual(field) ?? field.path.replace("spec.", ""))
      : undefined,
  Alertmanager: (field) =>
    field.path.startsWith("spec.") ? (usual(field) ?? field.path.replace("spec.", "")) : undefined,
  // The plugin's sidecar in the pods of PostgreSQL.
  ObjectStore: (field) =>
    field.path.startsWith("spec.instanceSidecarConfiguration.") ? "the backup sidecar in PostgreSQL's pods" : undefined,
};

/** Whether an operator makes pods from objects of this kind. */
export const isOperated = (kind: string): boolean => Object.hasOwn(OPERATED, kind);

/** Why pods restart that an operator makes from such an object; undefined where they do not. */
export function operatedReason(kind: string, fields: readonly Changed[]): Reason {
  const reasons = [...new Set(fields.flatMap((f) => OPERATED[kind]?.(f) ?? []))];
  return reasons.length ? reasons.join("; ") : undefined;
}

/** Row of the plan's table of failures that says what the restart of these pods costs. */
const COSTS: Array<[title: RegExp, failure: RegExp]> = [
  // Standbys restart first; then another instance takes over, as when a node is drained.
  [/^(Cluster|ObjectStore) matrix\//, /^PostgreSQL primary: node drained$/],
  [/^Pooler matrix\//, /^PostgreSQL pooler: pod$/],
  [/^StatefulSet \S+\/redis-/, /^Redis master: pod$/],
  [/^StatefulSet minio\/minio$/, /^MinIO: pod or node$/],
  [/^Deployment matrix\/haproxy$/, /^Router: pod$/],
  [/^(Deployment|DaemonSet) nginx-ingress\//, /^Ingress: pod$/],
  [/^DaemonSet coturn\//, /^TURN: node$/],
  [/^DaemonSet livekit\//, /^SFU: node$/],
];

/** What the restart of a workload costs by the plan; undefined where its table says nothing about it. */
export function restartCost(
  title: string,
  failures: Plan["failures"],
): { seconds: number; effect: string; source: string } | undefined {
  const synapse = /^(?:StatefulSet|Deployment) matrix\/synapse-([a-z-]+?)$/.exec(title)?.[1];
  const wanted =
    COSTS.find(([pattern]) => pattern.test(title))?.[1] ??
    (synapse === undefined ? undefined : new RegExp(`^Synapse ${synapse}: process$`));
  const row = wanted && failures.find((f) => wanted.test(f.failure));
  return row && { seconds: row.seconds, effect: row.effect, source: row.source };
}
