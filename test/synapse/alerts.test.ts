/**
 * Which alerts there are, when each fires, and what it says: a change of a threshold or of a name in an expression is
 * a decision. That Prometheus takes them, and that they fire, is tested with Prometheus itself
 * (test/real/alerts.test.ts).
 */
import assert from "node:assert/strict";
import { synapseAlerts } from "../../components/layers/synapse/alerts";
import type { AlertRule } from "../../components/core/monitoring";
import type { Plan } from "../../components/sizing/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

/** With federation, so that there are all of them. */
function rulesOf(change: (plan: Plan) => void = () => undefined, federation = true): AlertRule[] {
  const settings = fixtureSettings();
  settings.federation = { enabled: federation };
  const plan = fixturePlan();
  change(plan);
  return synapseAlerts({ settings, plan }).rules;
}
const names = (rules: AlertRule[]): string[] => rules.map((r) => r.alert);
const found = (rules: AlertRule[], name: string): AlertRule | undefined => rules.find((r) => r.alert === name);
const only =
  (...classes: string[]) =>
  (plan: Plan): void => {
    plan.synapse.pools = plan.synapse.pools.filter((p) => classes.includes(p.class));
  };

const RULES: Array<Omit<AlertRule, "meaning" | "act">> = [
  {
    // Measured: main is back in 3 to 4 s when only its process was lost. 30 s are more.
    alert: "SynapseMainDown",
    severity: "critical",
    for: "30s",
    expr: 'absent(up{layer="synapse", job="main"} == 1)',
    summary: "Synapse's main process does not answer",
    look: ["kubectl get pods -n matrix -o wide | grep synapse-", "kubectl logs -n matrix synapse-main-0 --previous"],
  },
  {
    // They start in up to 15 s, and later when several start at once.
    alert: "SynapseSingleProcessDown",
    severity: "critical",
    for: "1m",
    expr: [
      'label_replace(absent(up{layer="synapse", job="ephemeral"} == 1), "job", "ephemeral", "", "")',
      'label_replace(absent(up{layer="synapse", job="account"} == 1), "job", "account", "", "")',
      'label_replace(absent(up{layer="synapse", job="device-lists"} == 1), "job", "device-lists", "", "")',
      'label_replace(absent(up{layer="synapse", job="pusher"} == 1), "job", "pusher", "", "")',
      'label_replace(absent(up{layer="synapse", job="background"} == 1), "job", "background", "", "")',
      'label_replace(absent(up{layer="synapse", job="user-directory"} == 1), "job", "user-directory", "", "")',
    ].join(" or "),

    summary: "The only Synapse process of class {{ $labels.job }} does not answer",
    look: ["kubectl get pods -n matrix -o wide | grep synapse-", "kubectl describe pod -n matrix synapse-<class>-0"],
  },
  {
    // At once, or nearly: the whole class is away.
    alert: "SynapseClassDown",
    severity: "critical",
    for: "30s",
    expr: [
      'label_replace(absent(up{layer="synapse", job="synchrotron"} == 1), "job", "synchrotron", "", "")',
      'label_replace(absent(up{layer="synapse", job="initial-sync"} == 1), "job", "initial-sync", "", "")',
      'label_replace(absent(up{layer="synapse", job="generic"} == 1), "job", "generic", "", "")',
      'label_replace(absent(up{layer="synapse", job="event-persister"} == 1), "job", "event-persister", "", "")',
      'label_replace(absent(up{layer="synapse", job="media"} == 1), "job", "media", "", "")',
      'label_replace(absent(up{layer="synapse", job="receipts"} == 1), "job", "receipts", "", "")',
    ].join(" or "),

    summary: "No Synapse process of class {{ $labels.job }} answers",
    look: ["kubectl get pods -n matrix -o wide | grep synapse-", "RouterBackendDown"],
  },
  {
    alert: "SynapseEventPersisterDown",
    severity: "critical",
    for: "30s",
    expr: '(count(up{layer="synapse", job="event-persister"} == 1) or vector(0)) < 2',
    summary: "{{ $value }} of 2 event persisters answer: part of the rooms cannot be written to",
    look: [
      "kubectl get pods -n matrix -o wide | grep synapse-",
      "kubectl logs -n matrix synapse-event-persister-<n> --previous",
    ],
  },
  {
    // Nothing is missing yet: a rollout of its two pods must not wake anyone.
    alert: "SynapseReplacerDown",
    severity: "warning",
    for: "10m",
    expr: 'kube_deployment_status_replicas_available{namespace="matrix", deployment="synapse-replacer"} == 0',
    summary: "Nothing replaces Synapse's processes of a lost machine",
    look: [
      "kubectl -n matrix get pods -l app.kubernetes.io/component=synapse-replacer",
      "kubectl -n matrix logs deploy/synapse-replacer",
    ],
  },
  {
    // Longer than a replacement of the pod.
    alert: "SynapseProcessDown",
    severity: "warning",
    for: "3m",
    expr: 'up{layer="synapse"} == 0',
    summary: "{{ $labels.index }} does not answer",
    look: ["kubectl describe pod -n matrix {{ $labels.index }}"],
  },
  {
    // The target of the plan: a message is sent within a second.
    alert: "SynapseSendSlow",
    severity: "warning",
    for: "10m",
    expr: 'histogram_quantile(0.95, sum by (le) (rate(synapse_http_server_response_time_seconds_bucket{layer="synapse", servlet="RoomSendEventRestServlet", code=~"2.."}[5m]))) > 1',
    summary: "Sending a message takes {{ $value | humanizeDuration }} (95th percentile)",
    look: ["SynapseDbPoolExhausted, SynapseProcessSaturated, PostgresNoSyncStandby", "Dashboard Synapse, row Events"],
  },
  {
    alert: "SynapseInitialSyncSlow",
    severity: "warning",
    for: "15m",
    expr: 'histogram_quantile(0.95, sum by (le) (rate(synapse_http_server_response_time_seconds_bucket{layer="synapse", servlet="SyncRestServlet", tag=~"initial_sync.*", code=~"2.."}[5m]))) > 30',
    summary: "First syncs take {{ $value | humanizeDuration }} (95th percentile)",
    look: ["CPU of class initial-sync", "synapse_storage_query_time"],
  },
  {
    // A process runs on one core.
    alert: "SynapseProcessSaturated",
    severity: "warning",
    for: "15m",
    expr: 'rate(process_cpu_seconds_total{layer="synapse"}[5m]) > 0.9',
    summary: "{{ $labels.index }} uses {{ $value | humanizePercentage }} of a core",
    look: ["Dashboard Synapse, row Processes", "AutoscalerAtMaximum"],
  },
  {
    alert: "SynapseEventLoopSlow",
    severity: "warning",
    for: "10m",
    expr: 'histogram_quantile(0.99, sum by (le, job, index) (rate(python_twisted_reactor_tick_time_bucket{layer="synapse"}[5m]))) > 1',
    summary: "{{ $labels.index }} blocks for {{ $value | humanizeDuration }} at a time (99th percentile)",
    look: ["synapse_state_res_cpu_for_biggest_room_seconds", "python_gc_time"],
  },
  {
    alert: "SynapseDbPoolExhausted",
    severity: "warning",
    for: "5m",
    expr: 'histogram_quantile(0.95, sum by (le, job) (rate(synapse_storage_schedule_time_bucket{layer="synapse"}[5m]))) > 0.5',
    summary:
      "Class {{ $labels.job }} waits {{ $value | humanizeDuration }} for a database connection (95th percentile)",
    look: ["PostgresLongTransaction", "synapse_storage_transaction_time_sum by desc"],
  },
  {
    alert: "SynapseReplicationLag",
    severity: "warning",
    for: "2m",
    expr: 'max by (stream_name) (synapse_storage_stream_current_position{layer="synapse", stream_name="events"}) - on (stream_name) group_right () synapse_storage_stream_current_position{layer="synapse", stream_name="events"} > 1000',
    summary: "{{ $labels.index }} is {{ $value }} events behind the others",
    look: ["RedisNoMaster", "synapse_replication_tcp_command_queue"],
  },
  {
    // One wait in 50 s; a wait takes 10 s, and a few are normal at a restart.
    alert: "SynapseSyncStuck",
    severity: "critical",
    for: "5m",
    expr: 'sum by (stream_key) (rate(synapse_notifier_wait_for_stream_token_timeouts_total{layer="synapse"}[5m])) > 0.02',
    summary:
      "Clients get empty answers to /sync: processes wait for a position of {{ $labels.stream_key }} that does not come",
    look: [
      "SynapseReplicationLag, RedisNoMaster",
      "kubectl logs -n matrix -l app.kubernetes.io/component=synapse-synchrotron --tail=100 | grep 'Timed out waiting'",
    ],
  },
  {
    // The counter of stored events does not exist before the first: none must count as 0.
    alert: "SynapsePersistStalled",
    severity: "critical",
    for: "2m",
    expr: '(sum(rate(synapse_http_server_requests_received_total{layer="synapse", servlet="RoomSendEventRestServlet"}[2m])) > 0.1) and on () ((sum(rate(synapse_storage_events_persisted_events_total{layer="synapse"}[2m])) or vector(0)) == 0)',
    summary: "Messages are sent and none is stored",
    look: ["SynapseEventPersisterDown, PostgresNoPrimary, PostgresNoSyncStandby, RedisNoMaster"],
  },
  {
    alert: "SynapseErrors",
    severity: "warning",
    for: "5m",
    expr: 'sum by (job) (rate(synapse_http_server_responses_total{layer="synapse", code=~"5.."}[5m])) / sum by (job) (rate(synapse_http_server_responses_total{layer="synapse"}[5m])) > 0.01',
    summary: "{{ $value | humanizePercentage }} of the answers of class {{ $labels.job }} are errors",
    look: ["kubectl logs -n matrix -l app.kubernetes.io/component=synapse-<class> --since=10m | grep -A20 Traceback"],
  },
  {
    alert: "SynapseLoginFailures",
    severity: "warning",
    for: "5m",
    expr: 'sum(rate(synapse_http_server_response_time_seconds_count{layer="synapse", servlet="LoginRestServlet", code="403"}[5m])) > 1',
    summary: "{{ $value | humanize }} failed logins a second",
    look: ["Log lines of main with Failed password login: address and user"],
  },
  {
    // The counter of successes does not exist where all pushes have failed: it counts as 0 then.
    alert: "SynapsePushFailing",
    severity: "warning",
    for: "15m",
    expr: 'sum(rate(synapse_http_httppusher_http_pushes_failed_total{layer="synapse"}[10m])) / (sum(rate(synapse_http_httppusher_http_pushes_failed_total{layer="synapse"}[10m])) + (sum(rate(synapse_http_httppusher_http_pushes_processed_total{layer="synapse"}[10m])) or vector(0))) > 0.5',
    summary: "{{ $value | humanizePercentage }} of the push notifications fail",
    look: ["kubectl logs -n matrix -l app.kubernetes.io/component=synapse-pusher --since=10m"],
  },
  {
    // Only where federation is on.
    alert: "SynapseFederationBacklog",
    severity: "warning",
    for: "15m",
    expr: 'sum(synapse_federation_transaction_queue_pending_pdus{layer="synapse"}) > 1000',
    summary: "{{ $value }} events wait to be sent to other servers",
    look: ["synapse_federation_transaction_queue_pending_destinations", "synapse_event_processing_lag"],
  },
];

describe("alerts on Synapse", () => {
  it("are a group of their own", () => {
    const { name, title } = synapseAlerts({ settings: fixtureSettings(), plan: fixturePlan() });
    assert.deepEqual([name, title], ["synapse", "Synapse"]);
    assert.deepEqual(
      names(rulesOf()),
      RULES.map((r) => r.alert),
    );
  });

  for (const expected of RULES)
    it(`${expected.alert} fires for its reason, after its time, and says where to look`, () => {
      const { meaning: _meaning, act: _act, ...rule } = found(rulesOf(), expected.alert)!;
      assert.deepEqual(rule, expected);
    });

  it("say what they mean and what to do, in sentences", () => {
    for (const { alert, meaning, act } of rulesOf()) {
      assert.match(meaning, /^[A-Z].{20,}[.]$/, alert);
      assert.ok(act.length > 0, `${alert} leaves the reader alone`);
      for (const step of act) assert.match(step, /^[A-Z].{15,}[.]$/, alert);
    }
  });

  it("name the commands that help", () => {
    const does = (alert: string): string => found(rulesOf(), alert)!.act.join(" ");
    assert.match(does("SynapseMainDown"), /`npm run hosts -- fence <node>`/);
    assert.match(does("SynapseSingleProcessDown"), /`overrides[.]pools[.]<class>[.]memoryMiB`/);
    assert.match(does("SynapseInitialSyncSlow"), /`overrides[.]pools[.]initial-sync[.]maxReplicas`/);
    assert.match(does("SynapseDbPoolExhausted"), /`overrides[.]pools[.]<class>[.]cpMax`/);
    assert.match(does("SynapseFederationBacklog"), /`overrides[.]pools[.]federation-sender[.]replicas`/);
    // The writers settle their sequences at their start, so they come first.
    assert.deepEqual(found(rulesOf(), "SynapseSyncStuck")!.act, [
      "Restart the processes that write streams, each of which settles its sequences first: `kubectl rollout restart statefulset -n matrix -l app.kubernetes.io/name=synapse`.",
      "If it goes on, restart the sync workers: `kubectl rollout restart deployment -n matrix -l app.kubernetes.io/name=synapse`.",
    ]);
  });

  it("watch other servers only where federation is on", () => {
    assert.deepEqual(
      names(rulesOf(undefined, false)),
      RULES.map((r) => r.alert).filter((name) => name !== "SynapseFederationBacklog"),
    );
  });

  it("watch the classes that the plan has, and no others", () => {
    const down = /^Synapse(SingleProcess|Class|EventPersister)Down$/;
    const watched = (...classes: string[]): string[] => names(rulesOf(only(...classes))).filter((n) => down.test(n));
    assert.deepEqual(watched("main"), []);
    assert.deepEqual(watched("main", "account"), ["SynapseSingleProcessDown"]);
    assert.deepEqual(watched("main", "media"), ["SynapseClassDown"]);
    assert.deepEqual(watched("main", "event-persister"), ["SynapseClassDown", "SynapseEventPersisterDown"]);
  });

  it("count the event persisters that the plan has, under the class that writes events", () => {
    const three = found(
      rulesOf((plan) => {
        plan.synapse.pools.find((p) => p.class === "event-persister")!.replicas = 3;
      }),
      "SynapseEventPersisterDown",
    )!;
    assert.equal(three.expr, '(count(up{layer="synapse", job="event-persister"} == 1) or vector(0)) < 3');
    assert.match(three.summary, /^\{\{ [$]value \}\} of 3 event persisters answer/);
  });

  it("hold a class for one that nobody replaces only where it has one process with a name of its own", () => {
    const single = (change: (plan: Plan) => void): string => found(rulesOf(change), "SynapseSingleProcessDown")!.expr;
    const shared = (change: (plan: Plan) => void): string => found(rulesOf(change), "SynapseClassDown")!.expr;
    const with1 =
      (cls: string) =>
      (plan: Plan): void => {
        plan.synapse.pools.find((p) => p.class === cls)!.replicas = 1;
      };
    assert.ok(single(with1("receipts")).includes('job="receipts"'));
    assert.ok(!shared(with1("receipts")).includes('job="receipts"'));
    assert.ok(!single(with1("generic")).includes('job="generic"'), "the autoscaler's");
    assert.ok(shared(with1("generic")).includes('job="generic"'));
  });
});
