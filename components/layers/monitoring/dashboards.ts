/** Grafana dashboards as data: rows of panels, each a title, a unit and queries. Pure. */
interface Panel {
  title: string;
  unit: string;
  queries: Array<[legend: string, expr: string]>;
  kind?: "stat";
}
interface Row {
  title: string;
  panels: Panel[];
}
interface Dashboard {
  uid: string;
  title: string;
  rows: Row[];
}

const p = (title: string, unit: string, ...queries: Array<[string, string]>): Panel => ({ title, unit, queries });
const stat = (title: string, unit: string, expr: string): Panel => ({
  title,
  unit,
  queries: [["", expr]],
  kind: "stat",
});
const quantile = (q: number, metric: string, selector: string, by = ""): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${metric}_bucket{${selector}}[5m])))`;
const HTTP = "synapse_http_server_response_time_seconds";
const S = 'layer="synapse"';

export const DASHBOARDS: Dashboard[] = [
  {
    uid: "matrix-ha-overview",
    title: "Matrix: overview",
    rows: [
      {
        title: "Now",
        panels: [
          stat("Alerts", "none", 'count(ALERTS{alertstate="firing", severity!="info"}) or vector(0)'),
          stat(
            "Messages stored per second",
            "ops",
            `sum(rate(synapse_storage_events_persisted_events_total{${S}}[5m]))`,
          ),
          stat("Users of the last day", "none", "max(synapse_admin_daily_active_users)"),
          stat(
            "Send, 95th percentile",
            "s",
            quantile(0.95, HTTP, `${S}, servlet="RoomSendEventRestServlet", code=~"2.."`),
          ),
        ],
      },
      {
        title: "Traffic",
        panels: [
          p("Requests by backend", "reqps", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_http_requests_total{layer="router"}[5m]))',
          ]),
          p("Errors by backend", "percentunit", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router", code="5xx"}[5m])) / sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router"}[5m]))',
          ]),
          p("Processes up", "none", ["{{job}}", `sum by (job) (up{${S}})`]),
          p("CPU of nodes", "percentunit", [
            "{{instance}}",
            '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
          ]),
          p("Memory available", "percentunit", [
            "{{instance}}",
            "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
          ]),
          p("Object store free", "percentunit", [
            "free",
            'max(minio_cluster_capacity_usable_free_bytes{layer="minio"}) / max(minio_cluster_capacity_usable_total_bytes{layer="minio"})',
          ]),
        ],
      },
    ],
  },
  {
    uid: "matrix-ha-synapse",
    title: "Matrix: Synapse",
    rows: [
      {
        title: "Requests",
        panels: [
          p("By servlet", "reqps", [
            "{{servlet}}",
            `topk(10, sum by (servlet) (rate(synapse_http_server_requests_received_total{${S}}[5m])))`,
          ]),
          p("Duration without sync, 95th percentile", "s", [
            "{{job}}",
            quantile(0.95, HTTP, `${S}, servlet!~"SyncRestServlet|SlidingSyncRestServlet"`, ", job"),
          ]),
          p("Answers", "reqps", ["{{code}}", `sum by (code) (rate(synapse_http_server_responses_total{${S}}[5m]))`]),
        ],
      },
      {
        title: "Events",
        panels: [
          p("Stored", "ops", [
            "{{index}}",
            `sum by (index) (rate(synapse_storage_events_persisted_events_total{${S}}[5m]))`,
          ]),
          p("Position of each process behind the first", "none", [
            "{{index}}",
            `max by (stream_name) (synapse_storage_stream_current_position{${S}, stream_name="events"}) - on (stream_name) group_right () synapse_storage_stream_current_position{${S}, stream_name="events"}`,
          ]),
          p("Waiting for other servers", "none", [
            "events",
            `sum(synapse_federation_transaction_queue_pending_pdus{${S}})`,
          ]),
        ],
      },
      {
        title: "Processes",
        panels: [
          p("CPU, one core each", "percentunit", ["{{index}}", `rate(process_cpu_seconds_total{${S}}[5m])`]),
          p("Memory", "bytes", ["{{index}}", `process_resident_memory_bytes{${S}}`]),
          p("Longest turn of the event loop, 99th percentile", "s", [
            "{{job}}",
            quantile(0.99, "python_twisted_reactor_tick_time", S, ", job"),
          ]),
        ],
      },
      {
        title: "Database and caches",
        panels: [
          p("Wait for a connection, 95th percentile", "s", [
            "{{job}}",
            quantile(0.95, "synapse_storage_schedule_time", S, ", job"),
          ]),
          p("Dearest transactions", "s", [
            "{{desc}}",
            `topk(10, sum by (desc) (rate(synapse_storage_transaction_time_sum_total{${S}}[5m])))`,
          ]),
          p("Cache hits", "percentunit", [
            "{{job}}",
            `sum by (job) (rate(synapse_util_caches_cache_hits{${S}}[5m])) / sum by (job) (rate(synapse_util_caches_cache{${S}}[5m]))`,
          ]),
        ],
      },
    ],
  },
  {
    uid: "matrix-ha-postgres",
    title: "Matrix: PostgreSQL",
    rows: [
      {
        title: "Replication",
        panels: [
          p("Role (0 primary, 1 standby)", "none", ["{{pod}}", 'cnpg_pg_replication_in_recovery{layer="postgres"}']),
          p("Lag", "s", ["{{pod}}", 'cnpg_pg_replication_lag{layer="postgres"}']),
          p("WAL on disk", "bytes", ["{{pod}}", 'cnpg_collector_pg_wal{layer="postgres", value="size"}']),
        ],
      },
      {
        title: "Load",
        panels: [
          p("Connections by state", "none", ["{{state}}", 'sum by (state) (cnpg_backends_total{layer="postgres"})']),
          p("Transactions", "ops", [
            "{{pod}}",
            'sum by (pod) (rate(cnpg_pg_stat_database_xact_commit{layer="postgres"}[5m]))',
          ]),
          p("Read from cache", "percentunit", [
            "{{pod}}",
            'sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{layer="postgres"}[5m])) / (sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{layer="postgres"}[5m])) + sum by (pod) (rate(cnpg_pg_stat_database_blks_read{layer="postgres"}[5m])))',
          ]),
          p("Size", "bytes", ["{{datname}}", 'max by (datname) (cnpg_pg_database_size_bytes{layer="postgres"})']),
          p("Clients waiting at the pooler", "none", ["{{pod}}", "sum by (pod) (cnpg_pgbouncer_pools_cl_waiting)"]),
        ],
      },
      {
        title: "Backup",
        panels: [
          p("Age of the last archived WAL", "s", [
            "primary",
            'min(cnpg_pg_stat_archiver_seconds_since_last_archival{layer="postgres"} >= 0)',
          ]),
          p("Archiving failures", "ops", ["{{pod}}", 'rate(cnpg_pg_stat_archiver_failed_count{layer="postgres"}[5m])']),
        ],
      },
    ],
  },
  {
    uid: "matrix-ha-router",
    title: "Matrix: router and Redis",
    rows: [
      {
        title: "Router",
        panels: [
          p("Servers", "none", ["{{proxy}}", 'min by (proxy) (haproxy_backend_active_servers{layer="router"})']),
          p("Queue", "none", ["{{proxy}}", 'sum by (proxy) (haproxy_backend_current_queue{layer="router"})']),
          p("Retries and redispatches", "ops", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_retry_warnings_total{layer="router"}[5m]) + rate(haproxy_backend_redispatch_warnings_total{layer="router"}[5m]))',
          ]),
          p("Connections", "none", ["{{instance}}", 'haproxy_process_current_connections{layer="router"}']),
        ],
      },
      {
        title: "Redis",
        panels: [
          p("Masters", "none", ["{{job}}", 'count by (job) (redis_instance_info{layer="redis", role="master"})']),
          p("Replicas of the master", "none", ["{{job}}", 'max by (job) (redis_connected_slaves{layer="redis"})']),
          p("Commands", "ops", ["{{instance}}", 'rate(redis_commands_processed_total{layer="redis"}[5m])']),
          p("Memory", "bytes", ["{{instance}}", 'redis_memory_used_bytes{layer="redis"}']),
        ],
      },
    ],
  },
  {
    uid: "matrix-ha-calls",
    title: "Matrix: calls",
    rows: [
      {
        title: "SFU",
        panels: [
          p("Rooms", "none", ["{{instance}}", 'livekit_room_total{layer="livekit"}']),
          p("Participants", "none", ["{{instance}}", 'livekit_participant_total{layer="livekit"}']),
          p("CPU", "none", ["{{instance}}", 'rate(process_cpu_seconds_total{layer="livekit"}[5m])']),
          p("Packets", "pps", [
            "{{instance}} {{direction}}",
            'sum by (instance, direction) (rate(livekit_packet_total{layer="livekit"}[5m]))',
          ]),
        ],
      },
      {
        title: "TURN",
        panels: [
          p(
            "Nodes available",
            "none",
            ["available", 'kube_daemonset_status_number_available{namespace="coturn"}'],
            ["wanted", 'kube_daemonset_status_desired_number_scheduled{namespace="coturn"}'],
          ),
        ],
      },
    ],
  },
];

/** Every query of every dashboard, for checks. */
export const dashboardQueries = (): string[] =>
  DASHBOARDS.flatMap((d) => d.rows.flatMap((r) => r.panels.flatMap((x) => x.queries.map(([, e]) => e))));

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const COLUMNS = 3;

export function dashboardJson(d: Dashboard): object {
  let y = 0;
  let id = 0;
  const panels: object[] = [];
  for (const row of d.rows) {
    panels.push({
      id: (id += 1),
      type: "row",
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    row.panels.forEach((x, i) => {
      panels.push({
        id: (id += 1),
        type: x.kind ?? "timeseries",
        title: x.title,
        datasource: DATASOURCE,
        gridPos: { x: (i % COLUMNS) * 8, y: y + Math.floor(i / COLUMNS) * 8, w: 8, h: 8 },
        fieldConfig: { defaults: { unit: x.unit, min: 0 }, overrides: [] },
        targets: x.queries.map(([legend, expr], n) => ({
          refId: String.fromCharCode(65 + n),
          datasource: DATASOURCE,
          expr,
          legendFormat: legend || "__auto",
        })),
      });
    });
    y += Math.ceil(row.panels.length / COLUMNS) * 8;
  }
  return {
    uid: d.uid,
    title: d.title,
    tags: ["matrix-ha"],
    schemaVersion: 41,
    version: 1,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" }] },
    panels,
  };
}
