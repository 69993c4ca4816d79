/** The room that Redis takes, and what its failures cost. */
import assert from "node:assert/strict";
import { redis } from "../../components/layers/redis/layer";
import { redisSetDemands } from "../../components/layers/redis/plan";
import type { PlanParts, ZoneEffect } from "../../components/sizing/types";
import { setOf } from "./sets";

const lose = (zone: string, instances: number, zones: string[]): ZoneEffect[] =>
  redis.zoneLoss!(setOf(instances, zones), { name: zone, lost: [], left: [] });

describe("the plan of Redis", () => {
  it("keeps a host for each instance, with room for its Sentinel and exporter; proxies go anywhere", () => {
    const { settings, plan } = setOf(3);
    assert.deepEqual(redis.demands!(settings, plan as unknown as PlanParts), [
      {
        name: "redis-synapse",
        role: "application",
        replicas: 3,
        maxReplicas: 3,
        // Redis itself, and 0.05 + 0.02 cores, 48 + 32 MiB of the containers beside it.
        cpu: 0.5 + 0.07,
        memoryMiB: 2048 + 80,
        tied: true,
      },
      {
        name: "redis-synapse-proxy",
        role: "application",
        replicas: 2,
        maxReplicas: 2,
        cpu: 0.1,
        memoryMiB: 64,
      },
    ]);
    assert.deepEqual(
      redisSetDemands("redis-livekit", plan as unknown as PlanParts).map((d) => d.name),
      ["redis-livekit", "redis-livekit-proxy"],
    );
  });

  it("names the second set where there are group calls", () => {
    const input = setOf(5);
    const row = { instances: 5, cpu: 0.5, memoryMiB: 2048, what: "quorum 3" };
    assert.deepEqual(redis.services!(input), [{ service: "Redis + Sentinel (twice)", ...row }]);
    input.settings.rtc.enabled = false;
    assert.deepEqual(redis.services!(input), [{ service: "Redis + Sentinel", ...row }]);
  });

  it("counts 10 s for a master that is lost, as measured", () =>
    assert.deepEqual(redis.failures!(setOf(3)), [
      {
        failure: "Redis master: pod",
        effect: "live delivery pauses twice, no send fails, nothing is lost",
        seconds: 10,
        source: "measured: pauses of 5.3 and 4.6 s, slowest send 9.6 s",
      },
    ]));

  it("needs a host for each instance, of which any one may be lost", () =>
    assert.deepEqual(redis.roles, [
      {
        role: "application",
        least: 3,
        why: "Redis elects its master by a majority of three Sentinels, each on its own host",
      },
    ]));
});

describe("the loss of a zone", () => {
  it("costs a failover as long as a majority is left, to the last instance", () => {
    assert.deepEqual(lose("a", 3, ["a", "b", "c"]), [
      {
        part: "Redis",
        outcome: "recovers",
        effect: "at worst a failover: live delivery pauses, no send fails, nothing is lost",
        // 40 s until the node counts as lost, 30 s until its proxy moves.
        seconds: 70,
        source:
          "bound; the pod's failover takes 10 s, a proxy on a lost node more. 1 of 3 instances are there, 2 Sentinels elect a master, and it needs 1 replicas",
      },
    ]);
    const [five] = lose("a", 5, ["a", "a", "b", "b", "c"]);
    assert.equal(five!.outcome, "recovers");
    assert.match(five!.source, /2 of 5 instances are there, 3 Sentinels elect a master, and it needs 2 replicas$/);
  });

  it("stops live delivery where most instances were there, and says where hosts should stand", () => {
    assert.deepEqual(lose("a", 3, ["a", "a", "b"]), [
      {
        part: "Redis",
        outcome: "stops",
        effect: "messages are delivered late, writers and workers wait",
        seconds: 0,
        source: "2 of 3 instances are there, 2 Sentinels elect a master, and it needs 1 replicas",
        remedy: "Put the application hosts into three zones of about the same number",
      },
    ]);
    assert.equal(lose("b", 3, ["a", "a", "b"])[0]!.outcome, "recovers");
    assert.equal(lose("a", 5, ["a", "a", "a", "b", "b"])[0]!.outcome, "stops");
    // With room elsewhere, the five are spread evenly: two in zone a.
    assert.equal(lose("a", 5, ["a", "a", "a", "b", "b", "c"])[0]!.outcome, "recovers");
  });

  it("counts one instance for each application host of the zone, and no other host", () => {
    // Only one of the three finds a host in zone a, although two would be an even spread.
    assert.match(lose("a", 3, ["a", "b", "b"])[0]!.source, /1 of 3 instances are there/);
    // A database host stands there alone.
    assert.deepEqual(lose("d", 3, ["a", "b", "c"]), []);
  });
});
