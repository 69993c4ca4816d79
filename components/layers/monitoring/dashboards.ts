/** The dashboard of the whole stack. Pure. */
import { panel, quantile, stat, type Dashboard } from "../../core/monitoring";

const HTTP = "synapse_http_server_response_time_seconds";
const S = 'layer="synapse"';

export const MONITORING_DASHBOARDS: Dashboard[] = [
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
          panel("Requests by backend", "reqps", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_http_requests_total{layer="router"}[5m]))',
          ]),
          panel("Errors by backend", "percentunit", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router", code="5xx"}[5m])) / sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router"}[5m]))',
          ]),
          panel("Processes up", "none", ["{{job}}", `sum by (job) (up{${S}})`]),
          panel("CPU of nodes", "percentunit", [
            "{{instance}}",
            '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
          ]),
          panel("Memory available", "percentunit", [
            "{{instance}}",
            "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
          ]),
          panel("Object store free", "percentunit", [
            "free",
            'max(minio_cluster_capacity_usable_free_bytes{layer="minio"}) / max(minio_cluster_capacity_usable_total_bytes{layer="minio"})',
          ]),
        ],
      },
    ],
  },
];
