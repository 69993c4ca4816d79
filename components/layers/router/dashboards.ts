/** The dashboard of the router and Redis. Pure. */
import { panel, type Dashboard } from "../../core/monitoring";
import { REDIS_ROW } from "../redis/dashboards";

export const ROUTER_DASHBOARDS: Dashboard[] = [
  {
    uid: "matrix-ha-router",
    title: "Matrix: router and Redis",
    rows: [
      {
        title: "Router",
        panels: [
          panel("Servers", "none", ["{{proxy}}", 'min by (proxy) (haproxy_backend_active_servers{layer="router"})']),
          panel("Queue", "none", ["{{proxy}}", 'sum by (proxy) (haproxy_backend_current_queue{layer="router"})']),
          panel("Retries and redispatches", "ops", [
            "{{proxy}}",
            'sum by (proxy) (rate(haproxy_backend_retry_warnings_total{layer="router"}[5m]) + rate(haproxy_backend_redispatch_warnings_total{layer="router"}[5m]))',
          ]),
          panel("Connections", "none", ["{{instance}}", 'haproxy_process_current_connections{layer="router"}']),
        ],
      },
      REDIS_ROW,
    ],
  },
];
