/**
 * For each alert: series with which it must fire, and series just short of these with which it must not. Pure.
 *
 * A value is written once for the whole time: `5` stays 5, `rate 0.9` counts up by 0.9 a second, `39e9 by -1000` starts
 * there and changes by that much a second; anything with an `x` is Prometheus' own notation, in the case's steps.
 */
import { CERTIFICATE_END } from "../../components/layers/cluster/tls/publicTls";
import type { Plan } from "../../components/sizing/types";

export type Series = Record<string, string | number>;
export interface AlertCase {
  /** Each alone makes the alert fire once it has lasted as long as the rule's `for`, and not one step earlier. */
  fires: Series[];
  /** None of these makes it fire, however long it lasts. Empty only with `always`. */
  silent: Series[];
  /** Counters: a ratio of rates exists from the second sample on; a rate itself is whole after its window (seconds). */
  counter?: true | number;
  /** Where the series change on their way: when to look, in steps. */
  atStep?: number;
  /** Why there is no silent case. */
  always?: string;
}

const labels = (layer: string, more: Record<string, string>): string =>
  `{${Object.entries({ ...(layer ? { layer } : {}), ...more })
    .map(([k, v]) => `${k}="${v}"`)
    .join(", ")}}`;
/** Several series of one metric: `each` gives the labels and the value. */
const each = (metric: string, layer: string, ...rows: Array<[Record<string, string>, string | number]>): Series =>
  Object.fromEntries(rows.map(([l, v]) => [metric + labels(layer, l), v]));
const one = (metric: string, layer: string, more: Record<string, string>, value: string | number): Series =>
  each(metric, layer, [more, value]);
/** `up` of so many targets of a layer, and how many of them are away. */
const targets = (layer: string, there: number, away = 0, more: Record<string, string> = {}): Series =>
  each(
    "up",
    layer,
    ...Array.from({ length: there + away }, (_, i): [Record<string, string>, number] => [
      { ...more, instance: `i${i}` },
      i < there ? 1 : 0,
    ]),
  );
/** A histogram in which every observation lies in the bucket that ends at `le`, the last of `bounds`. */
const histogram = (metric: string, layer: string, more: Record<string, string>, bounds: number[]): Series =>
  each(
    `${metric}_bucket`,
    layer,
    ...[...bounds, "+Inf"].map((le, i): [Record<string, string>, string] => [
      { ...more, le: String(le) },
      i < bounds.length - 1 ? "rate 0" : "rate 10",
    ]),
  );

const GiB = 2 ** 30;
const recovering = (...values: number[]): Series =>
  each(
    "cnpg_pg_replication_in_recovery",
    "postgres",
    ...values.map((v, i): [Record<string, string>, number] => [{ pod: `pg-${i}` }, v]),
  );
const redisRole = (...roles: string[]): Series => ({
  ...targets("redis", roles.length, 0, { job: "redis-synapse" }),
  ...each(
    "redis_instance_info",
    "redis",
    ...roles.map((role, i): [Record<string, string>, number] => [{ job: "redis-synapse", instance: `i${i}`, role }, 1]),
  ),
});
const redisUp = (there: number, away: number): Series => ({
  ...targets("redis", there + away, 0, { job: "redis-synapse" }),
  ...each(
    "redis_up",
    "redis",
    ...Array.from({ length: there + away }, (_, i): [Record<string, string>, number] => [
      { job: "redis-synapse", instance: `i${i}` },
      i < there ? 1 : 0,
    ]),
  ),
});
const ours = (more: Record<string, string> = {}): Record<string, string> => ({ namespace: "matrix", ...more });
const container = ours({ pod: "p", container: "c" });
const disk = (more: Record<string, string> = {}): Record<string, string> => ({
  fstype: "ext4",
  mountpoint: "/data",
  instance: "n",
  ...more,
});
const free = (avail: string | number): Series => ({
  ...one("node_filesystem_avail_bytes", "", disk(), avail),
  ...one("node_filesystem_size_bytes", "", disk(), 100e9),
});
const SEND = { servlet: "RoomSendEventRestServlet", code: "200" };

/** One process of each class answers, except those of `away`. */
const classes = (plan: Plan, away?: string): Series =>
  Object.assign(
    {},
    ...plan.synapse.pools.map((p) =>
      targets("synapse", p.class === away ? 0 : p.replicas, p.class === away ? p.replicas : 0, { job: p.class }),
    ),
  );

export function alertCases(plan: Plan): Record<string, AlertCase> {
  const single = plan.synapse.pools.filter((p) => p.kind === "StatefulSet" && p.replicas === 1 && p.class !== "main"),
    shared = plan.synapse.pools.filter((p) => p.class !== "main" && !single.includes(p));
  const persister = plan.synapse.streamWriters.events,
    persisters = plan.synapse.pools.find((p) => p.class === persister)!.replicas;
  // A master accepts writes with half of the set as replicas: one of three, two of five.
  const redisNeeds = Math.floor(plan.redis.instances / 2);
  const { instances, maxConnections, walStorageGiB, pooler } = plan.postgres,
    connections = Math.floor(maxConnections * 0.85),
    wal = Math.floor(walStorageGiB * 0.8 * GiB),
    halfWal = Math.floor(walStorageGiB * 0.5 * GiB),
    waiting = Math.max(16, Math.floor(walStorageGiB * 6.4));
  const position = (behind: number): Series =>
    each(
      "synapse_storage_stream_current_position",
      "synapse",
      [{ stream_name: "events", index: "a" }, 5000],
      [{ stream_name: "events", index: "b" }, 5000 - behind],
    );
  /** One answer a second, of which a share has a code that is not the usual one. */
  const answers =
    (metric: string, layer: string, by: Record<string, string>) =>
    (usual: string, other: string, share: number): Series =>
      each(metric, layer, [{ ...by, code: usual }, `rate ${1 - share}`], [{ ...by, code: other }, `rate ${share}`]);
  const synapseAnswers = answers("synapse_http_server_responses_total", "synapse", { job: "generic" });
  const routerAnswers = answers("haproxy_backend_http_responses_total", "router", { proxy: "main" });
  const pushes = (failed: number): Series => ({
    ...one("synapse_http_httppusher_http_pushes_failed_total", "synapse", {}, `rate ${failed}`),
    ...one("synapse_http_httppusher_http_pushes_processed_total", "synapse", {}, `rate ${1 - failed}`),
  });
  const stored = (sent: number, kept: number): Series => ({
    ...one("synapse_http_server_requests_received_total", "synapse", { servlet: SEND.servlet }, `rate ${sent}`),
    ...one("synapse_storage_events_persisted_events_total", "synapse", {}, `rate ${kept}`),
  });
  const daemons = (what: string, n: number): Series =>
    one(`kube_daemonset_status_number_${what}`, "", { namespace: "coturn", daemonset: "coturn" }, n);
  const scaler = (now: number, min: number, max: number): Series =>
    Object.assign(
      {},
      ...Object.entries({ status_current: now, spec_min: min, spec_max: max }).map(([k, v]) =>
        one(`kube_horizontalpodautoscaler_${k}_replicas`, "", ours({ horizontalpodautoscaler: "h" }), v),
      ),
    );
  const budget = (allowed: number, expected: number): Series => ({
    ...one("kube_poddisruptionbudget_status_pod_disruptions_allowed", "", ours({ poddisruptionbudget: "b" }), allowed),
    ...one("kube_poddisruptionbudget_status_expected_pods", "", ours({ poddisruptionbudget: "b" }), expected),
  });
  const job = (failed: number, succeeded: number): Series => ({
    ...one("kube_job_status_failed", "", ours({ job_name: "j" }), failed),
    ...one("kube_job_status_succeeded", "", ours({ job_name: "j" }), succeeded),
  });
  const killed = (restarts: string): Series => ({
    ...one("kube_pod_container_status_last_terminated_reason", "", { ...container, reason: "OOMKilled" }, 1),
    ...one("kube_pod_container_status_restarts_total", "", container, restarts),
  });
  const archiver = (failed: number): Series => ({
    ...one("cnpg_pg_stat_archiver_last_failed_time", "postgres", { pod: "a" }, failed),
    ...one("cnpg_pg_stat_archiver_last_archived_time", "postgres", { pod: "a" }, 1000),
  });
  const firstSync = (bounds: number[]): Series =>
    histogram(
      "synapse_http_server_response_time_seconds",
      "synapse",
      { servlet: "SyncRestServlet", tag: "initial_sync/none", code: "200" },
      bounds,
    );
  const connected = (n: number): Series => ({
    ...one("haproxy_process_current_connections", "router", { instance: "a" }, n),
    ...one("haproxy_process_max_connections", "router", { instance: "a" }, 100),
  });
  const memory = (n: number): Series => ({
    ...one("node_memory_MemAvailable_bytes", "", { instance: "n" }, n),
    ...one("node_memory_MemTotal_bytes", "", { instance: "n" }, 100),
  });
  const minio = (free_: number): Series => ({
    ...one("minio_cluster_capacity_usable_free_bytes", "minio", {}, free_),
    ...one("minio_cluster_capacity_usable_total_bytes", "minio", {}, 100),
  });

  return {
    // ------------------------------------------------------------------ PostgreSQL
    PostgresNoPrimary: { fires: [recovering(1, 1, 1), {}], silent: [recovering(0, 1, 1)] },
    PostgresTwoPrimaries: { fires: [recovering(0, 0, 1)], silent: [recovering(0, 1, 1), recovering(1, 1, 1)] },
    PostgresInstanceDown: {
      fires: [each("cnpg_collector_up", "postgres", [{ pod: "a" }, 1], [{ pod: "b" }, 1], [{ pod: "c" }, 0]), {}],
      silent: [
        each(
          "cnpg_collector_up",
          "postgres",
          ...Array.from({ length: instances }, (_, i): [Record<string, string>, number] => [{ pod: `${i}` }, 1]),
        ),
      ],
    },
    PostgresNoSyncStandby: {
      fires: [one("cnpg_pg_replication_streaming_replicas", "postgres", { pod: "a" }, 0)],
      silent: [each("cnpg_pg_replication_streaming_replicas", "postgres", [{ pod: "a" }, 1], [{ pod: "b" }, 0])],
    },
    PostgresStandbyNotStreaming: {
      fires: [one("cnpg_pg_replication_streaming_replicas", "postgres", { pod: "a" }, instances - 2)],
      silent: [
        each("cnpg_pg_replication_streaming_replicas", "postgres", [{ pod: "a" }, instances - 1], [{ pod: "b" }, 0]),
      ],
    },
    PostgresReplicationLag: {
      fires: [one("cnpg_pg_replication_lag", "postgres", { pod: "a" }, 31)],
      silent: [one("cnpg_pg_replication_lag", "postgres", { pod: "a" }, 30)],
    },
    PostgresFailover: {
      atStep: 48,
      fires: [
        each("cnpg_pg_replication_in_recovery", "postgres", [{ pod: "a" }, "0x40 1x40"], [{ pod: "b" }, "1x40 0x40"]),
      ],
      silent: [recovering(0, 1, 1)],
    },
    PostgresConnectionsHigh: {
      fires: [
        each(
          "cnpg_backends_total",
          "postgres",
          [{ pod: "a", state: "idle" }, connections],
          [{ pod: "a", state: "active" }, 1],
        ),
      ],
      silent: [
        each(
          "cnpg_backends_total",
          "postgres",
          [{ pod: "a", state: "idle" }, connections],
          [{ pod: "b", state: "idle" }, connections],
        ),
      ],
    },
    PoolerDown: {
      fires: [targets("pooler", pooler.replicas - 1, 1), {}],
      silent: [targets("pooler", pooler.replicas)],
    },
    PoolerClientsWaiting: {
      fires: [one("cnpg_pgbouncer_pools_cl_waiting", "", { pod: "a" }, 1)],
      silent: [one("cnpg_pgbouncer_pools_cl_waiting", "", { pod: "a" }, 0)],
    },
    PostgresLongTransaction: {
      fires: [
        one("cnpg_backends_max_tx_duration_seconds", "postgres", { pod: "a", application_name: "synapse" }, 1801),
      ],
      silent: [
        one("cnpg_backends_max_tx_duration_seconds", "postgres", { pod: "a", application_name: "synapse" }, 1800),
        one("cnpg_backends_max_tx_duration_seconds", "postgres", { pod: "a", application_name: "pg_basebackup" }, 9000),
      ],
    },
    PostgresTransactionIdAge: {
      fires: [one("cnpg_pg_database_xid_age", "postgres", { datname: "synapse" }, 1e9 + 1)],
      silent: [one("cnpg_pg_database_xid_age", "postgres", { datname: "synapse" }, 1e9)],
    },
    PostgresWalVolumeFilling: {
      fires: [one("cnpg_collector_pg_wal", "postgres", { pod: "a", value: "size" }, wal + 1)],
      silent: [one("cnpg_collector_pg_wal", "postgres", { pod: "a", value: "size" }, wal)],
    },
    PostgresWalVolumeHalfFull: {
      fires: [one("cnpg_collector_pg_wal", "postgres", { pod: "a", value: "size" }, halfWal + 1)],
      silent: [one("cnpg_collector_pg_wal", "postgres", { pod: "a", value: "size" }, halfWal)],
    },
    PostgresWalArchiveBehind: {
      fires: [one("cnpg_collector_pg_wal_archive_status", "postgres", { pod: "a", value: "ready" }, waiting + 1)],
      silent: [
        one("cnpg_collector_pg_wal_archive_status", "postgres", { pod: "a", value: "ready" }, waiting),
        one("cnpg_collector_pg_wal_archive_status", "postgres", { pod: "a", value: "done" }, waiting + 1),
      ],
    },
    PostgresWalArchivingFailing: { fires: [archiver(1001)], silent: [archiver(1000)] },
    // Time begins at 0 here, and the backup is older. Silent: it becomes too old only after the last look.
    PostgresBackupTooOld: {
      fires: [
        one("cnpg_collector_last_available_backup_timestamp", "postgres", { pod: "a" }, -26 * 3600 - 1),
        one("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", "postgres", { pod: "a" }, -26 * 3600 - 1),
      ],
      silent: [one("cnpg_collector_last_available_backup_timestamp", "postgres", { pod: "a" }, -25 * 3600)],
    },
    // ------------------------------------------------------------------ Redis
    RedisNoMaster: {
      fires: [redisRole("slave", "slave"), targets("redis", 0, 3, { job: "redis-synapse" })],
      silent: [redisRole("master", "slave")],
    },
    RedisTwoMasters: { fires: [redisRole("master", "master")], silent: [redisRole("master", "slave")] },
    RedisQuorumLost: {
      fires: [redisUp(plan.redis.quorum - 1, 2), redisUp(0, 3), targets("redis", 0, 3, { job: "redis-synapse" })],
      silent: [redisUp(plan.redis.quorum, 1)],
    },
    RedisInstanceDown: {
      fires: [redisUp(plan.redis.instances - 1, 1), redisUp(0, 3)],
      silent: [redisUp(plan.redis.instances, 0)],
    },
    RedisNoReplica: {
      fires: [one("redis_connected_slaves", "redis", { job: "r", instance: "a" }, redisNeeds - 1)],
      silent: [
        each(
          "redis_connected_slaves",
          "redis",
          [{ job: "r", instance: "a" }, redisNeeds],
          [{ job: "r", instance: "b" }, 0],
        ),
      ],
    },
    RedisMemoryHigh: {
      fires: [
        {
          ...one("redis_memory_used_bytes", "redis", { instance: "a" }, 86),
          ...one("redis_memory_max_bytes", "redis", { instance: "a" }, 100),
        },
      ],
      silent: [85, 0].map((max) => ({
        ...one("redis_memory_used_bytes", "redis", { instance: "a" }, 85),
        ...one("redis_memory_max_bytes", "redis", { instance: "a" }, max && 100),
      })),
    },
    RedisProxyDown: {
      fires: [targets("redis-proxy", 1, 1, ours()), targets("redis-proxy", 0, 2, ours())],
      silent: [targets("redis-proxy", 2, 0, ours())],
    },
    // ------------------------------------------------------------------ Synapse
    SynapseMainDown: { fires: [classes(plan, "main"), {}], silent: [classes(plan)] },
    SynapseSingleProcessDown: {
      fires: single.map((p) => classes(plan, p.class)),
      silent: [classes(plan), ...shared.map((p) => classes(plan, p.class))],
    },
    SynapseClassDown: {
      fires: shared.map((p) => classes(plan, p.class)),
      silent: [classes(plan), ...single.map((p) => classes(plan, p.class))],
    },
    SynapseEventPersisterDown: {
      fires: [targets("synapse", persisters - 1, 1, { job: persister }), {}],
      silent: [targets("synapse", persisters, 0, { job: persister })],
    },
    SynapseReplacerDown: {
      fires: [
        one(
          "kube_deployment_status_replicas_available",
          "",
          { namespace: "matrix", deployment: "synapse-replacer" },
          0,
        ),
      ],
      silent: [
        one(
          "kube_deployment_status_replicas_available",
          "",
          { namespace: "matrix", deployment: "synapse-replacer" },
          1,
        ),
      ],
    },
    SynapseProcessDown: {
      fires: [targets("synapse", 3, 1, { job: "generic" })],
      silent: [targets("synapse", 4, 0, { job: "generic" })],
    },
    SynapseSendSlow: {
      counter: true,
      fires: [histogram("synapse_http_server_response_time_seconds", "synapse", SEND, [0.5, 1, 2.5])],
      silent: [
        histogram("synapse_http_server_response_time_seconds", "synapse", SEND, [0.5, 1]),
        histogram(
          "synapse_http_server_response_time_seconds",
          "synapse",
          { ...SEND, servlet: "SyncRestServlet" },
          [0.5, 1, 2.5],
        ),
      ],
    },
    SynapseInitialSyncSlow: { counter: true, fires: [firstSync([10, 30, 60])], silent: [firstSync([10, 30])] },
    SynapseProcessSaturated: {
      counter: 300,
      fires: [one("process_cpu_seconds_total", "synapse", { index: "a" }, "rate 0.91")],
      silent: [one("process_cpu_seconds_total", "synapse", { index: "a" }, "rate 0.89")],
    },
    SynapseEventLoopSlow: {
      counter: true,
      fires: [histogram("python_twisted_reactor_tick_time", "synapse", { job: "generic", index: "a" }, [0.5, 1, 2])],
      silent: [histogram("python_twisted_reactor_tick_time", "synapse", { job: "generic", index: "a" }, [0.5, 1])],
    },
    SynapseDbPoolExhausted: {
      counter: true,
      fires: [histogram("synapse_storage_schedule_time", "synapse", { job: "main" }, [0.1, 0.5, 1])],
      silent: [histogram("synapse_storage_schedule_time", "synapse", { job: "main" }, [0.1, 0.5])],
    },
    SynapseReplicationLag: { fires: [position(1001)], silent: [position(1000)] },
    SynapseSyncStuck: {
      counter: 300,
      fires: [
        one(
          "synapse_notifier_wait_for_stream_token_timeouts_total",
          "synapse",
          { index: "a", stream_key: "thread_subscriptions_key" },
          "rate 0.021",
        ),
      ],
      silent: [
        one(
          "synapse_notifier_wait_for_stream_token_timeouts_total",
          "synapse",
          { index: "a", stream_key: "thread_subscriptions_key" },
          "rate 0.019",
        ),
      ],
    },
    SynapsePersistStalled: { counter: 120, fires: [stored(0.101, 0)], silent: [stored(0.099, 0), stored(1, 0.5)] },
    SynapseErrors: {
      counter: true,
      fires: [synapseAnswers("200", "500", 0.011)],
      silent: [synapseAnswers("200", "500", 0.0099), synapseAnswers("200", "404", 0.9)],
    },
    SynapseLoginFailures: {
      counter: 300,
      fires: [
        one(
          "synapse_http_server_response_time_seconds_count",
          "synapse",
          { servlet: "LoginRestServlet", code: "403" },
          "rate 1.01",
        ),
      ],
      silent: [
        one(
          "synapse_http_server_response_time_seconds_count",
          "synapse",
          { servlet: "LoginRestServlet", code: "403" },
          "rate 0.99",
        ),
        one(
          "synapse_http_server_response_time_seconds_count",
          "synapse",
          { servlet: "LoginRestServlet", code: "200" },
          "rate 9",
        ),
      ],
    },
    SynapsePushFailing: { counter: true, fires: [pushes(0.51)], silent: [pushes(0.49)] },
    SynapseAppserviceFailing: {
      counter: true,
      fires: [
        {
          ...one("synapse_appservice_api_failed_transactions_total", "synapse", { service: "irc" }, "rate 0.01"),
          ...one("synapse_appservice_api_sent_transactions_total", "synapse", { service: "sms" }, "rate 1"),
        },
      ],
      silent: [
        {
          ...one("synapse_appservice_api_failed_transactions_total", "synapse", { service: "irc" }, "rate 0.01"),
          ...one("synapse_appservice_api_sent_transactions_total", "synapse", { service: "irc" }, "rate 0.01"),
        },
        one("synapse_appservice_api_failed_transactions_total", "synapse", { service: "irc" }, "rate 0"),
      ],
    },
    SynapseFederationBacklog: {
      fires: [
        each(
          "synapse_federation_transaction_queue_pending_pdus",
          "synapse",
          [{ index: "a" }, 600],
          [{ index: "b" }, 401],
        ),
      ],
      silent: [
        each(
          "synapse_federation_transaction_queue_pending_pdus",
          "synapse",
          [{ index: "a" }, 600],
          [{ index: "b" }, 400],
        ),
      ],
    },
    // ------------------------------------------------------------------ router, ingress
    RouterDown: { fires: [targets("router", 0, 2), {}], silent: [targets("router", 1, 1)] },
    RouterReplicaDown: {
      fires: [targets("router", plan.router.replicas - 1, 1), {}],
      silent: [targets("router", plan.router.replicas)],
    },
    RouterBackendDown: {
      fires: [
        each(
          "haproxy_backend_status",
          "router",
          [{ instance: "a", proxy: "generic", state: "UP" }, 1],
          [{ instance: "b", proxy: "generic", state: "UP" }, 0],
        ),
      ],
      silent: [
        each(
          "haproxy_backend_status",
          "router",
          [{ instance: "a", proxy: "generic", state: "UP" }, 1],
          [{ instance: "a", proxy: "generic", state: "DOWN" }, 0],
        ),
      ],
    },
    RouterQueueing: {
      fires: [
        each(
          "haproxy_backend_current_queue",
          "router",
          [{ instance: "a", proxy: "media" }, 11],
          [{ instance: "b", proxy: "media" }, 10],
        ),
      ],
      silent: [
        each(
          "haproxy_backend_current_queue",
          "router",
          [{ instance: "a", proxy: "media" }, 20],
          [{ instance: "b", proxy: "main" }, 20],
        ),
      ],
    },
    RouterErrors: {
      counter: true,
      fires: [routerAnswers("2xx", "5xx", 0.021)],
      silent: [routerAnswers("2xx", "5xx", 0.0199), routerAnswers("2xx", "4xx", 0.5)],
    },
    RouterRetries: {
      counter: 300,
      fires: [one("haproxy_backend_retry_warnings_total", "router", { proxy: "main" }, "rate 1.01")],
      silent: [one("haproxy_backend_retry_warnings_total", "router", { proxy: "main" }, "rate 0.99")],
    },
    RouterConnectionsHigh: { fires: [connected(81)], silent: [connected(80)] },
    IngressDown: { fires: [targets("ingress", 0, 2), {}], silent: [targets("ingress", 1, 1)] },
    IngressReplicaDown: {
      fires: [targets("ingress", plan.ingress.replicas - 1, 1), {}],
      silent: [targets("ingress", plan.ingress.replicas)],
    },
    // ------------------------------------------------------------------ object store, calls
    MinioWriteQuorumLost: {
      fires: [
        { ...one("minio_cluster_health_status", "minio", {}, 0), ...targets("minio", 4) },
        targets("minio", 0, 4),
        {},
      ],
      silent: [{ ...one("minio_cluster_health_status", "minio", {}, 1), ...targets("minio", 3, 1) }],
    },
    MinioNodeOffline: {
      fires: [one("minio_cluster_nodes_offline_total", "minio", {}, 1)],
      silent: [one("minio_cluster_nodes_offline_total", "minio", {}, 0)],
    },
    MinioDriveOffline: {
      fires: [one("minio_cluster_drive_offline_total", "minio", {}, 1)],
      silent: [one("minio_cluster_drive_offline_total", "minio", {}, 0)],
    },
    MinioFullInTwoWeeks: {
      counter: true,
      fires: [one("minio_cluster_capacity_usable_free_bytes", "minio", {}, "90e9 by -80000")],
      silent: [one("minio_cluster_capacity_usable_free_bytes", "minio", {}, "90e9 by -70000")],
    },
    MinioCapacityLow: { fires: [minio(19.9)], silent: [minio(20)] },
    MinioCapacityCritical: { fires: [minio(7.9)], silent: [minio(8)] },
    TurnNodeDown: { fires: [daemons("unavailable", 1)], silent: [daemons("unavailable", 0)] },
    TurnDown: { fires: [daemons("available", 0)], silent: [daemons("available", 1)] },
    SfuNodeDown: {
      fires: [targets("livekit", plan.rtc!.nodes - 1, 1), {}],
      silent: [targets("livekit", plan.rtc!.nodes)],
    },
    SfuDown: { fires: [targets("livekit", 0, 2), {}], silent: [targets("livekit", 1, 1)] },
    CallTokensUnavailable: {
      fires: [
        one("kube_deployment_status_replicas_available", "", { namespace: "livekit", deployment: "lk-jwt-service" }, 0),
      ],
      silent: [
        one("kube_deployment_status_replicas_available", "", { namespace: "livekit", deployment: "lk-jwt-service" }, 1),
      ],
    },
    SfuNodeLoad: {
      counter: 300,
      fires: [one("process_cpu_seconds_total", "livekit", { instance: "a" }, `rate ${plan.rtc!.cpu * 0.81}`)],
      silent: [one("process_cpu_seconds_total", "livekit", { instance: "a" }, `rate ${plan.rtc!.cpu * 0.79}`)],
    },
    // ------------------------------------------------------------------ machines, Kubernetes
    NodeNotReady: {
      fires: [one("kube_node_status_condition", "", { node: "n", condition: "Ready", status: "true" }, 0)],
      silent: [
        one("kube_node_status_condition", "", { node: "n", condition: "Ready", status: "true" }, 1),
        one("kube_node_status_condition", "", { node: "n", condition: "DiskPressure", status: "true" }, 0),
      ],
    },
    NodeOutOfService: {
      fires: [one("kube_node_spec_taint", "", { node: "n", key: "node.kubernetes.io/out-of-service" }, 1)],
      silent: [one("kube_node_spec_taint", "", { node: "n", key: "node.kubernetes.io/unschedulable" }, 1)],
    },
    NodeCordoned: {
      fires: [one("kube_node_spec_unschedulable", "", { node: "n" }, 1)],
      silent: [one("kube_node_spec_unschedulable", "", { node: "n" }, 0)],
    },
    // 39 % free: gone in four days at 113 kB a second. 50 % free fills faster, and is early.
    DiskFilling: {
      counter: true,
      fires: [free("39e9 by -130000")],
      silent: [free("39e9 by -90000"), free("50e9 by -200000")],
    },
    DiskAlmostFull: { fires: [free(9.9e9)], silent: [free(10e9)] },
    DiskReadOnly: {
      fires: [one("node_filesystem_readonly", "", disk(), 1)],
      silent: [
        one("node_filesystem_readonly", "", disk(), 0),
        one("node_filesystem_readonly", "", disk({ fstype: "iso9660" }), 1),
      ],
    },
    NodeMemoryLow: { fires: [memory(4.9)], silent: [memory(5)] },
    NodeReservesTooLittle: {
      fires: [
        {
          ...one("kube_node_status_capacity", "", { node: "n", resource: "memory" }, 8 * GiB),
          ...one("kube_node_status_allocatable", "", { node: "n", resource: "memory" }, 8 * GiB - 100 * 2 ** 20),
        },
      ],
      silent: [
        {
          ...one("kube_node_status_capacity", "", { node: "n", resource: "memory" }, 8 * GiB),
          ...one("kube_node_status_allocatable", "", { node: "n", resource: "memory" }, 7 * GiB),
        },
      ],
    },
    EtcdSnapshotOld: {
      fires: [
        one("matrix_ha_etcd_snapshot_timestamp_seconds", "", { instance: "cp-1" }, -27 * 3600),
        one("something_else", "", {}, 1),
      ],
      // Prometheus' time starts at 0 here: a snapshot of the future is a young one.
      silent: [one("matrix_ha_etcd_snapshot_timestamp_seconds", "", { instance: "cp-1" }, 1e9)],
    },
    NodeClockWrong: {
      fires: [
        one("node_timex_offset_seconds", "", { instance: "n" }, 0.26),
        one("node_timex_offset_seconds", "", { instance: "n" }, -0.26),
        one("node_timex_sync_status", "", { instance: "n" }, 0),
      ],
      silent: [
        {
          ...one("node_timex_offset_seconds", "", { instance: "n" }, -0.25),
          ...one("node_timex_sync_status", "", { instance: "n" }, 1),
        },
      ],
    },
    AutoscalerAtMaximum: { fires: [scaler(6, 4, 6)], silent: [scaler(5, 4, 6), scaler(6, 6, 6)] },
    DrainBlocked: { fires: [budget(0, 2)], silent: [budget(1, 2), budget(0, 1)] },
    ContainerCrashLooping: {
      fires: [one("kube_pod_container_status_waiting_reason", "", { ...container, reason: "CrashLoopBackOff" }, 1)],
      silent: [
        one("kube_pod_container_status_waiting_reason", "", { ...container, reason: "CrashLoopBackOff" }, "1 0x200"),
        one("kube_pod_container_status_waiting_reason", "", { ...container, reason: "ContainerCreating" }, 1),
      ],
    },
    ContainerOutOfMemory: { atStep: 20, fires: [killed("0x10 1x40")], silent: [killed("3x50")] },
    PodPending: {
      fires: [one("kube_pod_status_phase", "", ours({ pod: "p", phase: "Pending" }), 1)],
      silent: [
        one("kube_pod_status_phase", "", ours({ pod: "p", phase: "Pending" }), 0),
        one("kube_pod_status_phase", "", { namespace: "other", pod: "p", phase: "Pending" }, 1),
      ],
    },
    JobFailed: { fires: [job(1, 0)], silent: [job(1, 1), job(0, 0)] },
    CertificateEnding: {
      fires: [one(CERTIFICATE_END, "", { certificate: "public names" }, 21 * 86400 - 1)],
      silent: [one(CERTIFICATE_END, "", { certificate: "public names" }, 22 * 86400)],
    },
    CertificateExpiring: {
      fires: [one("certmanager_certificate_expiration_timestamp_seconds", "", { name: "c" }, 14 * 86400 - 1)],
      silent: [one("certmanager_certificate_expiration_timestamp_seconds", "", { name: "c" }, 15 * 86400)],
    },
    // ------------------------------------------------------------------ monitoring itself
    Watchdog: { fires: [{}], silent: [], always: "it always fires: the receiver alerts when it stops" },
    AlertsNotDelivered: {
      counter: true,
      fires: [one("alertmanager_notifications_failed_total", "", { integration: "webhook" }, "rate 0.1")],
      silent: [one("alertmanager_notifications_failed_total", "", { integration: "webhook" }, 7)],
    },
    PrometheusRuleFailing: {
      counter: true,
      fires: [one("prometheus_rule_evaluation_failures_total", "", {}, "rate 0.1")],
      silent: [one("prometheus_rule_evaluation_failures_total", "", {}, 7)],
    },
    KubeStateMetricsDown: { fires: [targets("kubernetes", 0, 1), {}], silent: [targets("kubernetes", 1)] },
    PrometheusDown: {
      fires: [targets("", 1, 1, { job: "prometheus" })],
      silent: [targets("", 2, 0, { job: "prometheus" })],
    },
  };
}
