/** Alert rules of Redis. Pure. */
import type { PlanInput } from "../../core/layer";
import { type RuleGroup } from "../../core/monitoring";
import { DOWN_AFTER_MILLISECONDS, minReplicas } from "./topology";

const L = 'layer="redis"';

export function redisAlerts({ plan }: PlanInput): RuleGroup {
  const { instances, quorum } = plan.redis;
  const needed = minReplicas(instances);
  // count() of an empty vector is empty, so the alert would stay silent if no instance answered; `or` then gives 0.
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
          "Synapse's processes receive nothing from each other: live delivery stops, sends wait for locks. A failover takes 5 to 7 s (measured), so after half a minute without a master it does not finish by itself.",
        look: [logs, "redis-cli -p 26379 sentinel get-master-addr-by-name <name> in each pod"],
        act: [
          "If fewer Sentinels than the quorum are left, bring pods back (RedisQuorumLost).",
          "If their logs have `+tilt`: a Sentinel that was blocked for 2 s takes no action for 30 s. Look at the name server and at the CPU load of the host.",
          `If they have \`-failover-abort-no-good-slave\`: the replicas have been without a master for longer than Sentinel allows. Their readiness probes raise that limit within half a minute; \`down-after-milliseconds\` above ${DOWN_AFTER_MILLISECONDS} in \`redis-cli -p 26379 sentinel master <name>\` shows that they did.`,
          "Otherwise restart the Sentinels whose topology is wrong: `kubectl delete pod`, one at a time.",
        ],
      },
      {
        alert: "RedisTwoMasters",
        severity: "critical",
        for: "30s",
        expr: `count by (job) (redis_instance_info{${L}, role="master"}) > 1`,
        summary: "{{ $labels.job }} has {{ $value }} masters",
        meaning: `A former master came back as a master, or the network is split. The old master refuses writes without replicas (min-replicas-to-write ${needed}), and the proxy closes its sessions.`,
        look: [logs, "redis_connected_slaves by pod"],
        act: [
          "Delete the pod of the master without replicas: when it starts, it asks the Sentinels for the master and waits.",
        ],
      },
      {
        alert: "RedisQuorumLost",
        severity: "critical",
        for: "1m",
        expr: `${answering} < ${quorum}`,
        summary: `{{ $labels.job }}: {{ $value }} of ${instances} pods answer, ${quorum} are needed to elect a master`,
        meaning: "Each pod runs a Redis and a Sentinel. Below the quorum, no Sentinel replaces a lost master.",
        look: ["kubectl get pods -A -l app.kubernetes.io/component=<set> -o wide"],
        act: ["Bring back nodes or pods. Do not lower the quorum: that leads to two masters."],
      },
      {
        alert: "RedisInstanceDown",
        severity: "warning",
        for: "3m",
        expr: `${answering} < ${instances}`,
        summary: `{{ $labels.job }}: {{ $value }} of ${instances} instances answer`,
        meaning: "A replica or Sentinel is missing: one failure fewer is tolerated.",
        look: ["kubectl describe pod -n <namespace> <pod>", "kubectl logs -n <namespace> <pod> -c redis"],
        act: [
          "Bring its node back.",
          "If its log has `the append-only file was damaged`: a disk was full. It has repaired the file; the original is in /data/redis/appendonlydir.damaged. If the log has `could not be mended`: there was no room for that copy; free disk space, and it continues by itself.",
        ],
      },
      {
        alert: "RedisNoReplica",
        severity: "critical",
        for: "1m",
        expr: `max by (job) (redis_connected_slaves{${L}}) < ${needed}`,
        summary: "The master of {{ $labels.job }} has {{ $value }} replicas and refuses writes",
        meaning: `\`min-replicas-to-write ${needed}\` fences a master that may be cut off. With fewer replicas, the master refuses writes even if nothing else is wrong.`,
        look: [logs, "redis_master_link_up by pod"],
        act: ["Bring a replica back; it reconnects by itself."],
      },
      {
        alert: "RedisMemoryHigh",
        severity: "warning",
        for: "10m",
        expr: `redis_memory_used_bytes{${L}} / (redis_memory_max_bytes{${L}} > 0) > 0.85`,
        summary: "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory",
        meaning: "At maxmemory Redis evicts keys, also those of other stacks' applications (database 2).",
        look: ["redis-cli info memory; redis-cli --bigkeys", "redis_db_keys by db"],
        act: ["Raise `overrides.redis.memoryMiB`, or let the other application expire its keys."],
      },
      {
        alert: "RedisProxyDown",
        severity: "warning",
        for: "2m",
        expr: 'sum by (namespace) (up{layer="redis-proxy"}) < 2',
        summary: "Fewer than two proxies in front of Redis in {{ $labels.namespace }}",
        meaning: "Connections to the master go through HAProxy; the remaining proxy carries all of them.",
        look: ["kubectl get pods -n <namespace> -o wide | grep redis"],
        act: ["Bring its node back."],
      },
    ],
  };
}
