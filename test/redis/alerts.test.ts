/** What wakes somebody when Redis fails, and at which number. */
import assert from "node:assert/strict";
import { redis } from "../../components/layers/redis/layer";
import type { RuleGroup } from "../../components/core/monitoring";
import { assertPages, conditions } from "../helpers/alerts";
import { setOf } from "./sets";

function group(instances = 3): RuleGroup {
  const groups = redis.alerts!(setOf(instances));
  assert.deepEqual(
    groups.map((g) => [g.name, g.title]),
    [["redis", "Redis"]],
  );
  return groups[0]!;
}
const rule = (alert: string, instances: number): string[] =>
  conditions(group(instances)).find(([name]) => name === alert)!;

/** 0, not nothing, where no instance answers: a comparison with nothing never fires. */
const ANSWERING = '(count by (job) (redis_up{layer="redis"} == 1) or 0 * group by (job) (up{layer="redis"}))';

describe("alerts of Redis", () => {
  it("are these, at these bounds", () =>
    assert.deepEqual(conditions(group()), [
      [
        "RedisNoMaster",
        "critical",
        // A failover takes 5 to 7 s; after half a minute it does not finish by itself.
        "30s",
        'group by (job) (up{layer="redis"}) unless group by (job) (redis_instance_info{layer="redis", role="master"})',
        "{{ $labels.job }} has no master",
      ],
      [
        "RedisTwoMasters",
        "critical",
        "30s",
        'count by (job) (redis_instance_info{layer="redis", role="master"}) > 1',
        "{{ $labels.job }} has {{ $value }} masters",
      ],
      [
        "RedisQuorumLost",
        "critical",
        "1m",
        `${ANSWERING} < 2`,
        "{{ $labels.job }}: {{ $value }} of 3 pods answer, 2 are needed to elect a master",
      ],
      [
        "RedisInstanceDown",
        "warning",
        "3m",
        `${ANSWERING} < 3`,
        "{{ $labels.job }}: {{ $value }} of 3 instances answer",
      ],
      [
        "RedisNoReplica",
        "critical",
        "1m",
        'max by (job) (redis_connected_slaves{layer="redis"}) < 1',
        "The master of {{ $labels.job }} has {{ $value }} replicas and refuses writes",
      ],
      [
        "RedisMemoryHigh",
        "warning",
        "10m",
        // Without a limit maxmemory is 0, and nothing is ever full.
        'redis_memory_used_bytes{layer="redis"} / (redis_memory_max_bytes{layer="redis"} > 0) > 0.85',
        "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory",
      ],
      [
        "RedisProxyDown",
        "warning",
        "2m",
        'sum by (namespace) (up{layer="redis-proxy"}) < 2',
        "Fewer than two proxies in front of Redis in {{ $labels.namespace }}",
      ],
    ]));

  it("count five instances as five: three elect, and a master needs two replicas to accept writes", () => {
    assert.deepEqual(rule("RedisQuorumLost", 5).slice(3), [
      `${ANSWERING} < 3`,
      "{{ $labels.job }}: {{ $value }} of 5 pods answer, 3 are needed to elect a master",
    ]);
    assert.deepEqual(rule("RedisInstanceDown", 5).slice(3), [
      `${ANSWERING} < 5`,
      "{{ $labels.job }}: {{ $value }} of 5 instances answer",
    ]);
    assert.equal(rule("RedisNoReplica", 5)[3], 'max by (job) (redis_connected_slaves{layer="redis"}) < 2');
    const meanings = group(5).rules.filter((r) => ["RedisNoReplica", "RedisTwoMasters"].includes(r.alert));
    for (const { meaning } of meanings) assert.match(meaning, /min-replicas-to-write 2\b/);
  });

  it("have a page each that says what it means, where to look and what to do", () => {
    assertPages(group());
    const { look, act } = group().rules.find((r) => r.alert === "RedisNoMaster")!;
    assert.equal(look[0], "kubectl logs -n <namespace> <pod> -c sentinel --since=10m");
    // The normal value is the one that Sentinel is started with.
    assert.ok(act.some((a) => a.includes("`down-after-milliseconds` above 5000 ")));
  });
});
