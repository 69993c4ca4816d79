/** What wakes somebody when the router or the ingress fails, and at which number. */
import assert from "node:assert/strict";
import type { RuleGroup } from "../../components/core/monitoring";
import { router } from "../../components/layers/router/layer";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { assertPages, conditions } from "../helpers/alerts";

function group(ingressController = true): RuleGroup {
  const groups = router.alerts!({
    settings: { cluster: { install: { ingressController } } } as Settings,
    plan: { router: { replicas: 4 }, ingress: { replicas: 3 } } as Plan,
  });
  assert.deepEqual(
    groups.map((g) => [g.name, g.title]),
    [["router", "Router and ingress"]],
  );
  return groups[0]!;
}

const ROUTER = [
  [
    "RouterDown",
    "critical",
    "30s",
    'absent(up{layer="router"} == 1)',
    "No router answers: the homeserver is unreachable",
  ],
  [
    "RouterReplicaDown",
    "warning",
    "2m",
    // 0, not nothing, where none answers: a comparison with nothing never fires.
    '(count(up{layer="router"} == 1) or vector(0)) < 4',
    "{{ $value }} of 4 routers answer",
  ],
  [
    "RouterBackendDown",
    "critical",
    "30s",
    // On any one router: its clients see it.
    'min by (proxy) (haproxy_backend_status{layer="router", state="UP"}) == 0',
    "Backend {{ $labels.proxy }} has no server on at least one router",
  ],
  [
    "RouterQueueing",
    "warning",
    "2m",
    'sum by (proxy) (haproxy_backend_current_queue{layer="router"}) > 20',
    "{{ $value }} requests queue for {{ $labels.proxy }}",
  ],
  [
    "RouterErrors",
    "critical",
    "5m",
    'sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router", code="5xx"}[5m])) / sum by (proxy) (rate(haproxy_backend_http_responses_total{layer="router"}[5m])) > 0.02',
    "{{ $value | humanizePercentage }} of the answers of {{ $labels.proxy }} are errors",
  ],
  [
    "RouterRetries",
    "warning",
    "10m",
    'sum by (proxy) (rate(haproxy_backend_retry_warnings_total{layer="router"}[5m])) > 1',
    "{{ $value | humanize }} retries a second to {{ $labels.proxy }}",
  ],
  [
    "RouterConnectionsHigh",
    "warning",
    "5m",
    'haproxy_process_current_connections{layer="router"} / haproxy_process_max_connections{layer="router"} > 0.8',
    "{{ $labels.instance }} holds {{ $value | humanizePercentage }} of its connections",
  ],
];

describe("alerts of the router", () => {
  it("are these, at these bounds", () => assert.deepEqual(conditions(group()).slice(0, 7), ROUTER));

  it("watch the ingress controller that the stack installs, and no other", () => {
    assert.deepEqual(conditions(group()).slice(7), [
      [
        "IngressDown",
        "critical",
        "1m",
        'absent(up{layer="ingress"} == 1)',
        "No ingress controller answers: no public host is reachable",
      ],
      [
        "IngressReplicaDown",
        "warning",
        "3m",
        '(count(up{layer="ingress"} == 1) or vector(0)) < 3',
        "{{ $value }} of 3 ingress controllers answer",
      ],
    ]);
    assert.deepEqual(conditions(group(false)), ROUTER);
  });

  it("have a page each that says what it means, where to look and what to do", () => {
    assertPages(group());
    assert.equal(
      group().rules[0]!.look[1],
      "kubectl logs -n matrix -l app.kubernetes.io/component=haproxy --since=10m",
    );
  });
});
