/** Synapse's dashboard. Pure. */
import { panel, quantile, type Dashboard } from "../../core/monitoring";

const HTTP = "synapse_http_server_response_time_seconds";
const S = 'layer="synapse"';

export const SYNAPSE_DASHBOARDS: Dashboard[] = [
  {
    uid: "matrix-ha-synapse",
    title: "Matrix: Synapse",
    rows: [
      {
        title: "Requests",
        panels: [
          panel("By servlet", "reqps", [
            "{{servlet}}",
            `topk(10, sum by (servlet) (rate(synapse_http_server_requests_received_total{${S}}[5m])))`,
          ]),
          panel("Duration without sync, 95th percentile", "s", [
            "{{job}}",
            quantile(0.95, HTTP, `${S}, servlet!~"SyncRestServlet|SlidingSyncRestServlet"`, ", job"),
          ]),
          panel("Answers", "reqps", [
            "{{code}}",
            `sum by (code) (rate(synapse_http_server_responses_total{${S}}[5m]))`,
          ]),
        ],
      },
      {
        title: "Events",
        panels: [
          panel("Stored", "ops", [
            "{{index}}",
            `sum by (index) (rate(synapse_storage_events_persisted_events_total{${S}}[5m]))`,
          ]),
          panel("Position of each process behind the first", "none", [
            "{{index}}",
            `max by (stream_name) (synapse_storage_stream_current_position{${S}, stream_name="events"}) - on (stream_name) group_right () synapse_storage_stream_current_position{${S}, stream_name="events"}`,
          ]),
          panel("Waiting for other servers", "none", [
            "events",
            `sum(synapse_federation_transaction_queue_pending_pdus{${S}})`,
          ]),
        ],
      },
      {
        title: "Processes",
        panels: [
          panel("CPU, one core each", "percentunit", ["{{index}}", `rate(process_cpu_seconds_total{${S}}[5m])`]),
          panel("Memory", "bytes", ["{{index}}", `process_resident_memory_bytes{${S}}`]),
          panel("Longest turn of the event loop, 99th percentile", "s", [
            "{{job}}",
            quantile(0.99, "python_twisted_reactor_tick_time", S, ", job"),
          ]),
        ],
      },
      {
        title: "Database and caches",
        panels: [
          panel("Wait for a connection, 95th percentile", "s", [
            "{{job}}",
            quantile(0.95, "synapse_storage_schedule_time", S, ", job"),
          ]),
          panel("Dearest transactions", "s", [
            "{{desc}}",
            `topk(10, sum by (desc) (rate(synapse_storage_transaction_time_sum_total{${S}}[5m])))`,
          ]),
          panel("Cache hits", "percentunit", [
            "{{job}}",
            `sum by (job) (rate(synapse_util_caches_cache_hits{${S}}[5m])) / sum by (job) (rate(synapse_util_caches_cache{${S}}[5m]))`,
          ]),
        ],
      },
    ],
  },
];
