/** Alerts on Synapse. Pure. */
import type { PlanInput } from "../../core/layer";
import { countOrZero, type AlertRule, type RuleGroup } from "../../core/monitoring";
import { NAMESPACES, synapseService } from "../../core/names";
import { REPLACER } from "./replacerFacts";

const L = 'layer="synapse"';
/** 95th percentile over five minutes. */
const p95 = (metric: string, selector: string, by = ""): string =>
  `histogram_quantile(0.95, sum by (le${by}) (rate(${metric}_bucket{${L}${selector ? `, ${selector}` : ""}}[5m])))`;

/** Alert rules for the processes that this plan has. */
export function synapseAlerts({ settings, plan }: PlanInput): RuleGroup {
  const classes = plan.synapse.pools;
  const persister = plan.synapse.streamWriters.events;
  const persisters = classes.find((p) => p.class === persister)?.replicas ?? 0;
  // Classes with one process: no other takes over while it is away.
  const single = classes
    .filter((p) => p.kind === "StatefulSet" && p.replicas === 1 && p.class !== "main")
    .map((p) => p.class);
  const shared = classes.filter((p) => p.class !== "main" && !single.includes(p.class)).map((p) => p.class);
  // absent() of a comparison has no labels: the class's is put back, so that each class is an alert of its own.
  const noneUp = (names: string[]): string =>
    names.map((c) => `label_replace(absent(up{${L}, job="${c}"} == 1), "job", "${c}", "", "")`).join(" or ");
  const pods = "kubectl get pods -n matrix -o wide | grep synapse-";
  const rules: AlertRule[] = [
    {
      alert: "SynapseMainDown",
      severity: "critical",
      for: "30s",
      expr: `absent(up{${L}, job="main"} == 1)`,
      summary: "Synapse's main process does not answer",
      meaning:
        "Sending, syncing and media go on; login and registration hang, and paths that only main serves fail. Measured: back in 3 to 4 s when only the process was lost.",
      look: [pods, "kubectl logs -n matrix synapse-main-0 --previous"],
      act: [
        "If its node is lost, it starts on another by itself within two minutes. If it does not: SynapseReplacerDown, and `kubectl logs -n matrix synapse-main-0`, whose lines `only one:` say what it waits for. While more than half of the nodes are silent nothing is replaced: `npm run hosts -- fence <node>`.",
        "If it does not start, its log names the setting.",
      ],
    },
    ...(single.length > 0
      ? [
          {
            alert: "SynapseSingleProcessDown",
            severity: "critical" as const,
            for: "1m",
            expr: noneUp(single),
            summary: "The only Synapse process of class {{ $labels.job }} does not answer",
            meaning:
              "Synapse allows one writer of these streams: requests that need it fail or wait until it is back (typing, presence, to-device messages, account data or pushes, depending on the class).",
            look: [pods, "kubectl describe pod -n matrix synapse-<class>-0"],
            act: [
              "Node lost: it starts on another by itself within two minutes; if not, as for SynapseMainDown.",
              "Crash: its log; an out-of-memory kill needs `overrides.pools.<class>.memoryMiB`.",
            ],
          },
        ]
      : []),
    ...(shared.length > 0
      ? [
          {
            alert: "SynapseClassDown",
            severity: "critical" as const,
            for: "30s",
            expr: noneUp(shared),
            summary: "No Synapse process of class {{ $labels.job }} answers",
            meaning:
              "The router sends its requests to the fallback class where there is one, and answers 503 where there is none.",
            look: [pods, "RouterBackendDown"],
            act: [
              "When a whole class fails at once, the cause is its configuration or its resources: look at events and at the last `pulumi up`.",
            ],
          },
        ]
      : []),
    ...(persisters > 0
      ? [
          {
            alert: "SynapseEventPersisterDown",
            severity: "critical" as const,
            for: "30s",
            expr: `${countOrZero(`up{${L}, job="${persister}"} == 1`)} < ${persisters}`,
            summary: `{{ $value }} of ${persisters} event persisters answer: part of the rooms cannot be written to`,
            meaning:
              "Rooms are hashed to event persisters and no other takes over: sends to the lost one's rooms hang and fail after about 66 s (measured); they resume about 12 s after it is back.",
            look: [pods, `kubectl logs -n matrix ${synapseService(persister)}-<n> --previous`],
            act: [
              "Node lost: it starts on another by itself within two minutes; if not, as for SynapseMainDown.",
              "Do not change the number of event persisters to get around it: that needs a restart of every process.",
            ],
          },
        ]
      : []),
    {
      alert: "SynapseReplacerDown",
      severity: "warning",
      for: "10m",
      expr: `kube_deployment_status_replicas_available{namespace="${NAMESPACES.matrix}", deployment="${REPLACER}"} == 0`,
      summary: "Nothing replaces Synapse's processes of a lost machine",
      meaning:
        "No pod of the replacer is ready. Nothing is missing as long as no machine is lost; then main and the writers on it would wait for `npm run hosts -- fence`.",
      look: [
        `kubectl -n matrix get pods -l app.kubernetes.io/component=${REPLACER}`,
        `kubectl -n matrix logs deploy/${REPLACER}`,
      ],
      act: ["Its log says what the API server answers: a network policy or a missing permission, mostly."],
    },
    {
      alert: "SynapseProcessDown",
      severity: "warning",
      for: "3m",
      expr: `up{${L}} == 0`,
      summary: "{{ $labels.index }} does not answer",
      meaning: "One process of a class is not scraped. Others of its class serve.",
      look: ["kubectl describe pod -n matrix {{ $labels.index }}"],
      act: ["Find out why it is not ready; a slow start after an upgrade is a schema change."],
    },
    {
      alert: "SynapseSendSlow",
      severity: "warning",
      for: "10m",
      expr: `${p95("synapse_http_server_response_time_seconds", 'servlet="RoomSendEventRestServlet", code=~"2.."')} > 1`,
      summary: "Sending a message takes {{ $value | humanizeDuration }} (95th percentile)",
      meaning: "The target is below one second.",
      look: ["SynapseDbPoolExhausted, SynapseProcessSaturated, PostgresNoSyncStandby", "Dashboard Synapse, row Events"],
      act: ["Follow the first of those that fires.", "When all event persisters are busy, raise `ccu`."],
    },
    {
      alert: "SynapseInitialSyncSlow",
      severity: "warning",
      for: "15m",
      expr: `${p95("synapse_http_server_response_time_seconds", 'servlet="SyncRestServlet", tag=~"initial_sync.*", code=~"2.."')} > 30`,
      summary: "First syncs take {{ $value | humanizeDuration }} (95th percentile)",
      meaning:
        "New devices wait that long. Incremental syncs wait for news by design, so their duration says nothing; SynapseProcessSaturated covers them.",
      look: ["CPU of class initial-sync", "synapse_storage_query_time"],
      act: ["Raise `overrides.pools.initial-sync.maxReplicas`."],
    },
    {
      alert: "SynapseProcessSaturated",
      severity: "warning",
      for: "15m",
      expr: `rate(process_cpu_seconds_total{${L}}[5m]) > 0.9`,
      summary: "{{ $labels.index }} uses {{ $value | humanizePercentage }} of a core",
      meaning: "A Synapse process runs on one core: at its limit, all its requests queue.",
      look: ["Dashboard Synapse, row Processes", "AutoscalerAtMaximum"],
      act: [
        "Scalable class: raise its maximum. Event persister or other writers: raise `ccu`; for one-of-a-kind classes look for a client or bridge that floods.",
      ],
    },
    {
      alert: "SynapseEventLoopSlow",
      severity: "warning",
      for: "10m",
      expr: `histogram_quantile(0.99, sum by (le, job, index) (rate(python_twisted_reactor_tick_time_bucket{${L}}[5m]))) > 1`,
      summary: "{{ $labels.index }} blocks for {{ $value | humanizeDuration }} at a time (99th percentile)",
      meaning: "Something computes without yielding: state resolution of a large room, or garbage collection.",
      look: ["synapse_state_res_cpu_for_biggest_room_seconds", "python_gc_time"],
      act: ["Log lines of StateResolution name the room; leave or purge it when it is broken."],
    },
    {
      alert: "SynapseDbPoolExhausted",
      severity: "warning",
      for: "5m",
      expr: `${p95("synapse_storage_schedule_time", "", ", job")} > 0.5`,
      summary:
        "Class {{ $labels.job }} waits {{ $value | humanizeDuration }} for a database connection (95th percentile)",
      meaning: "All connections of the process's pool (cp_max) are in use.",
      look: ["PostgresLongTransaction", "synapse_storage_transaction_time_sum by desc"],
      act: [
        "If the database is slow, start there. Otherwise raise `overrides.pools.<class>.cpMax`; the plan checks the budget.",
      ],
    },
    {
      alert: "SynapseReplicationLag",
      severity: "warning",
      for: "2m",
      expr: `max by (stream_name) (synapse_storage_stream_current_position{${L}, stream_name="events"}) - on (stream_name) group_right () synapse_storage_stream_current_position{${L}, stream_name="events"} > 1000`,
      summary: "{{ $labels.index }} is {{ $value }} events behind the others",
      meaning: "The process does not hear of new events in time: clients on it see messages late.",
      look: ["RedisNoMaster", "synapse_replication_tcp_command_queue"],
      act: ["If only one process is behind, restart it; if all are, look at Redis."],
    },
    {
      alert: "SynapseSyncStuck",
      severity: "critical",
      for: "5m",
      expr: `sum by (stream_key) (rate(synapse_notifier_wait_for_stream_token_timeouts_total{${L}}[5m])) > 0.02`,
      summary:
        "Clients get empty answers to /sync: processes wait for a position of {{ $labels.stream_key }} that does not come",
      meaning:
        "A client holds a position that its process has not reached; each /sync waits 10 s and brings nothing, although messages are stored. A few are normal at a restart. If they go on for minutes, a stream's position went back (a PostgreSQL sequence after two changes of primary, which the writers prevent at their start) or the process does not hear of the stream.",
      look: [
        "SynapseReplicationLag, RedisNoMaster",
        "kubectl logs -n matrix -l app.kubernetes.io/component=synapse-synchrotron --tail=100 | grep 'Timed out waiting'",
      ],
      act: [
        "Restart the processes that write streams, each of which settles its sequences first: `kubectl rollout restart statefulset -n matrix -l app.kubernetes.io/name=synapse`.",
        "If it goes on, restart the sync workers: `kubectl rollout restart deployment -n matrix -l app.kubernetes.io/name=synapse`.",
      ],
    },
    {
      // The counter does not exist before a process has stored its first event.
      alert: "SynapsePersistStalled",
      severity: "critical",
      for: "2m",
      expr: `(sum(rate(synapse_http_server_requests_received_total{${L}, servlet="RoomSendEventRestServlet"}[2m])) > 0.1) and on () ((sum(rate(synapse_storage_events_persisted_events_total{${L}}[2m])) or vector(0)) == 0)`,
      summary: "Messages are sent and none is stored",
      meaning: "Requests arrive ({{ $value }} a second) but no event is persisted.",
      look: ["SynapseEventPersisterDown, PostgresNoPrimary, PostgresNoSyncStandby, RedisNoMaster"],
      act: ["Follow the one that fires; if none does, restart the event persisters one by one."],
    },
    {
      alert: "SynapseErrors",
      severity: "warning",
      for: "5m",
      expr: `sum by (job) (rate(synapse_http_server_responses_total{${L}, code=~"5.."}[5m])) / sum by (job) (rate(synapse_http_server_responses_total{${L}}[5m])) > 0.01`,
      summary: "{{ $value | humanizePercentage }} of the answers of class {{ $labels.job }} are errors",
      meaning: "Internal errors of Synapse itself.",
      look: ["kubectl logs -n matrix -l app.kubernetes.io/component=synapse-<class> --since=10m | grep -A20 Traceback"],
      act: ["An unreachable database or Redis shows as 500 too: look at their alerts first."],
    },
    {
      alert: "SynapseLoginFailures",
      severity: "warning",
      for: "5m",
      expr: `sum(rate(synapse_http_server_response_time_seconds_count{${L}, servlet="LoginRestServlet", code="403"}[5m])) > 1`,
      summary: "{{ $value | humanize }} failed logins a second",
      meaning: "Someone is guessing passwords, or a client or bridge has a wrong one.",
      look: ["Log lines of main with Failed password login: address and user"],
      act: ["Block the address at the ingress. Rate limits (rc_login) already slow it down."],
    },
    {
      // A counter does not exist before its first push: where all pushes have failed, the one for successes is missing.
      alert: "SynapsePushFailing",
      severity: "warning",
      for: "15m",
      expr: `sum(rate(synapse_http_httppusher_http_pushes_failed_total{${L}}[10m])) / (sum(rate(synapse_http_httppusher_http_pushes_failed_total{${L}}[10m])) + (sum(rate(synapse_http_httppusher_http_pushes_processed_total{${L}}[10m])) or vector(0))) > 0.5`,
      summary: "{{ $value | humanizePercentage }} of the push notifications fail",
      meaning: "The push gateway does not answer, or the pusher may not reach it.",
      look: ["kubectl logs -n matrix -l app.kubernetes.io/component=synapse-pusher --since=10m"],
      act: ["Check that outgoing HTTPS from the pusher is open (firewall, network policy)."],
    },
    ...(settings.appservices.length > 0
      ? [
          {
            // Synapse tries again after at most 512 s (_Recoverer of synapse/appservice/scheduler.py), so at least
            // twice in this time.
            alert: "SynapseAppserviceFailing",
            severity: "warning" as const,
            for: "5m",
            expr: `sum by (service) (increase(synapse_appservice_api_failed_transactions_total{${L}}[20m])) > 0 unless on (service) (sum by (service) (increase(synapse_appservice_api_sent_transactions_total{${L}}[20m])) > 0)`,
            summary: "The appservice {{ $labels.service }} takes no events",
            meaning:
              "Synapse reaches it, or tries to, and gets no answer of 200. Its events are kept in the database, in their order, and go out when it answers again; typing notices and the like of that time are lost.",
            look: [
              "kubectl logs -n matrix synapse-appservice-0 --since=30m | grep push_bulk",
              "The log and the pods of the bridge itself; kubectl get networkpolicy -n matrix allow-synapse-appservice -o yaml",
            ],
            act: [
              "401 or 403: its hs_token is another than that of the output `appservices`; give the bridge the registration of this stack.",
              "A connection error: the URL, Service and labels in `appservices` are those of the running pods? Start the bridge.",
              "It is tried again after up to 9 minutes by itself; at once with `kubectl -n matrix rollout restart statefulset synapse-appservice`.",
              "A bridge that is gone for good: remove it from `appservices`, `pulumi up`.",
            ],
          },
        ]
      : []),
    ...(settings.federation.enabled
      ? [
          {
            alert: "SynapseFederationBacklog",
            severity: "warning" as const,
            for: "15m",
            expr: `sum(synapse_federation_transaction_queue_pending_pdus{${L}}) > 1000`,
            summary: "{{ $value }} events wait to be sent to other servers",
            meaning: "Federation senders do not keep up, or many destinations are unreachable.",
            look: ["synapse_federation_transaction_queue_pending_destinations", "synapse_event_processing_lag"],
            act: [
              "If senders are busy, raise `overrides.pools.federation-sender.replicas`; if the network is, look at outgoing connections.",
            ],
          },
        ]
      : []),
  ];
  return { name: "synapse", title: "Synapse", rules };
}
