/** What Synapse's dashboard shows, and from which metrics. */
import assert from "node:assert/strict";
import { SYNAPSE_DASHBOARDS } from "../../components/layers/synapse/dashboards";

/** By row: title, unit, legend and expression of each panel. The selector of the layer is `S` here. */
const ROWS: Record<string, Array<[title: string, unit: string, legend: string, expr: string]>> = {
  Requests: [
    [
      "By servlet",
      "reqps",
      "{{servlet}}",
      "topk(10, sum by (servlet) (rate(synapse_http_server_requests_received_total{S}[5m])))",
    ],
    [
      // A sync waits for news by design: its duration says nothing.
      "Duration without sync, 95th percentile",
      "s",
      "{{job}}",
      'histogram_quantile(0.95, sum by (le, job) (rate(synapse_http_server_response_time_seconds_bucket{S, servlet!~"SyncRestServlet|SlidingSyncRestServlet"}[5m])))',
    ],
    ["Answers", "reqps", "{{code}}", "sum by (code) (rate(synapse_http_server_responses_total{S}[5m]))"],
  ],
  Events: [
    ["Stored", "ops", "{{index}}", "sum by (index) (rate(synapse_storage_events_persisted_events_total{S}[5m]))"],
    [
      "Position of each process behind the first",
      "none",
      "{{index}}",
      'max by (stream_name) (synapse_storage_stream_current_position{S, stream_name="events"}) - on (stream_name) group_right () synapse_storage_stream_current_position{S, stream_name="events"}',
    ],
    ["Waiting for other servers", "none", "events", "sum(synapse_federation_transaction_queue_pending_pdus{S})"],
  ],
  Processes: [
    ["CPU, one core each", "percentunit", "{{index}}", "rate(process_cpu_seconds_total{S}[5m])"],
    ["Memory", "bytes", "{{index}}", "process_resident_memory_bytes{S}"],
    [
      "Longest turn of the event loop, 99th percentile",
      "s",
      "{{job}}",
      "histogram_quantile(0.99, sum by (le, job) (rate(python_twisted_reactor_tick_time_bucket{S}[5m])))",
    ],
  ],
  "Database and caches": [
    [
      "Wait for a connection, 95th percentile",
      "s",
      "{{job}}",
      "histogram_quantile(0.95, sum by (le, job) (rate(synapse_storage_schedule_time_bucket{S}[5m])))",
    ],
    [
      "Dearest transactions",
      "s",
      "{{desc}}",
      "topk(10, sum by (desc) (rate(synapse_storage_transaction_time_sum_total{S}[5m])))",
    ],
    [
      "Cache hits",
      "percentunit",
      "{{job}}",
      "sum by (job) (rate(synapse_util_caches_cache_hits{S}[5m])) / sum by (job) (rate(synapse_util_caches_cache{S}[5m]))",
    ],
  ],
};

describe("Synapse's dashboard", () => {
  it("keeps its address when it changes", () => {
    assert.deepEqual(
      SYNAPSE_DASHBOARDS.map((d) => [d.uid, d.title]),
      [["matrix-ha-synapse", "Matrix: Synapse"]],
    );
  });
  it("shows requests, events, processes and the database, each from this layer's metrics", () => {
    assert.deepEqual(
      SYNAPSE_DASHBOARDS[0]!.rows.map((row) => [
        row.title,
        row.panels.map((p) => [p.title, p.unit, ...p.queries.flat()].map((t) => t.replaceAll('layer="synapse"', "S"))),
      ]),
      Object.entries(ROWS),
    );
  });
});
