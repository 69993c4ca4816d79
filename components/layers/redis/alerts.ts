/** What is alerted on of Redis. Pure. */
import type { PlanInput } from "../../core/layer";
import { type RuleGroup } from "../../core/monitoring";
import { DOWN_AFTER_MILLISECONDS } from "./topology";

const L = 'layer="redis"';

export function redisAlerts({ plan }: PlanInput): RuleGroup {
  const { instances, quorum } = plan.redis;
  // count() of nothing is nothing, and would be silent when not one answers: then it is 0 of those that should.
  const answering = `(count by (job) (redis_up{${L}} == 1) or 0 * group by (job) (up{${L}}))`;
  const logs = "kubectl logs -n <namespace> <pod> -c sentinel --since=10m";
  return {
    name: "redis",
    title: "Redis",
    rules: [
      {
        alert: "RedisNoMaster",
        severity: "critical",
        for: "30s",
        expr: `group by (job) (up{${L}}) unless group by (job) (redis_instance_info{${L}, role="master"})`,
        summary: "{{ $labels.job }} has no master",
        meaning:
          "Synapse's processes hear nothing of each other: live delivery stops, sends wait for locks. A failover takes 5 to 7 s, measured; half a minute without a master is none.",
        look: [logs, "redis-cli -p 26379 sentinel get-master-addr-by-name <name> in each pod"],
        act: [
          "With fewer Sentinels than the quorum, bring pods back (RedisQuorumLost).",
          "`+tilt` in their logs: a Sentinel that stood still for 2 s does nothing for 30 s. Look at the name server and at the host's processor.",
          `\`-failover-abort-no-good-slave\`: the replicas have waited longer than Sentinel allows. Their readiness probes lift that limit within half a minute; \`down-after-milliseconds\` above ${DOWN_AFTER_MILLISECONDS} in \`redis-cli -p 26379 sentinel master <name>\` shows that they did.`,
          "Otherwise restart the Sentinel that knows a wrong topology: `kubectl delete pod`, one at a time.",
        ],
      },
      {
        alert: "RedisTwoMasters",
        severity: "critical",
        for: "30s",
        expr: `count by (job) (redis_instance_info{${L}, role="master"}) > 1`,
        summary: "{{ $labels.job }} has {{ $value }} masters",
        meaning:
          "A Redis that was master came back as one, or the network is split. The old one refuses writes without a replica (min-replicas-to-write 1) and its sessions are shut by the proxy.",
        look: [logs, "redis_connected_slaves by pod"],
        act: ["Delete the pod of the master without replicas: at its start it asks the Sentinels and waits."],
      },
      {
        alert: "RedisQuorumLost",
        severity: "critical",
        for: "1m",
        expr: `${answering} < ${quorum}`,
        summary: `{{ $labels.job }}: {{ $value }} of ${instances} pods answer, ${quorum} are needed to elect a master`,
        meaning: "Each pod runs a Redis and a Sentinel. Below the quorum a lost master is not replaced.",
        look: ["kubectl get pods -A -l app.kubernetes.io/component=<set> -o wide"],
        act: ["Bring back nodes or pods. Do not lower the quorum: that is how two masters come about."],
      },
      {
        alert: "RedisInstanceDown",
        severity: "warning",
        for: "3m",
        expr: `${answering} < ${instances}`,
        summary: `{{ $labels.job }}: {{ $value }} of ${instances} instances answer`,
        meaning: "A replica or Sentinel is missing: one failure less to lose.",
        look: ["kubectl describe pod -n <namespace> <pod>", "kubectl logs -n <namespace> <pod> -c redis"],
        act: [
          "Bring its node back.",
          "`the append-only file was damaged` in its log: a disk was full. It has mended itself; what it had is in /data/redis/appendonlydir.damaged. `could not be mended`: there was no room for that copy; free the disk, and it goes on by itself.",
        ],
      },
      {
        alert: "RedisNoReplica",
        severity: "critical",
        for: "1m",
        expr: `max by (job) (redis_connected_slaves{${L}}) < 1`,
        summary: "The master of {{ $labels.job }} has no replica and refuses writes",
        meaning:
          "`min-replicas-to-write 1` fences a master that may be cut off. Without any replica it refuses writes although nothing else is wrong.",
        look: [logs, "redis_master_link_up by pod"],
        act: ["Bring a replica back; the link comes up by itself."],
      },
      {
        alert: "RedisMemoryHigh",
        severity: "warning",
        for: "10m",
        expr: `redis_memory_used_bytes{${L}} / (redis_memory_max_bytes{${L}} > 0) > 0.85`,
        summary: "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory",
        meaning: "At maxmemory keys are evicted; of another stack's application (database 2) too.",
        look: ["redis-cli info memory; redis-cli --bigkeys", "redis_db_keys by db"],
        act: ["Raise `overrides.redis.memoryMiB`, or have the other application expire its keys."],
      },
      {
        alert: "RedisProxyDown",
        severity: "warning",
        for: "2m",
        expr: 'sum by (namespace) (up{layer="redis-proxy"}) < 2',
        summary: "Fewer than two proxies in front of Redis in {{ $labels.namespace }}",
        meaning: "Connections to the master go through HAProxy; the remaining one carries all.",
        look: ["kubectl get pods -n <namespace> -o wide | grep redis"],
        act: ["Bring its node back."],
      },
    ],
  };
}
