/** Numbers of Redis instances that settings may ask for, and what is said of the others. */
import assert from "node:assert/strict";
import { z } from "zod";
import type { CheckInput } from "../../components/core/layer";
import { redis } from "../../components/layers/redis/layer";
import { redisOverrides } from "../../components/layers/redis/settings";
import { Report } from "../../components/schema/report";
import type { SettingsError } from "../../components/settings/types";
import { setOf } from "./sets";

const path = "overrides.redis.instances";

/** What the layer's checks say of a number of instances on so many application hosts. */
function errors(instances: number | undefined, hosts: number, report = new Report()): SettingsError[] {
  const { settings } = setOf(
    3,
    Array.from({ length: hosts }, () => "a"),
  );
  settings.overrides.redis.instances = instances;
  for (const check of redis.checks!) check({ settings, report } as CheckInput);
  return report.errors;
}
const even = (given: number): SettingsError => ({
  path,
  given: String(given),
  allowed: "an odd number from 3 to 9: an even one tolerates no more losses and can split into halves",
  remedy: `use ${given - 1} or ${given + 1}`,
});
const crowded = (given: number, hosts: number): SettingsError => ({
  path,
  given: String(given),
  allowed: `at most ${hosts}, the number of application hosts: Sentinels that share a host are lost together`,
  remedy: "add application hosts, or lower overrides.redis.instances",
});

describe("overrides.redis.instances", () => {
  it("takes an odd number that has a host for each, and none at all", () => {
    for (const [instances, hosts] of [
      [undefined, 3],
      [3, 3],
      [5, 5],
      [9, 9],
      [3, 4],
    ] as const)
      assert.deepEqual(errors(instances, hosts), [], `${instances} on ${hosts} hosts`);
  });

  it("refuses an even number, and names its neighbours", () => {
    assert.deepEqual(errors(4, 9), [even(4)]);
    assert.deepEqual(errors(8, 9), [even(8)]);
    // One error for a setting at a time, also where the hosts are too few.
    assert.deepEqual(errors(4, 3), [even(4)]);
  });

  it("refuses more than there are application hosts", () => {
    assert.deepEqual(errors(5, 3), [crowded(5, 3)]);
    assert.deepEqual(errors(5, 4), [crowded(5, 4)]);
  });

  it("leaves fewer than three hosts to the check of roles, and wrong hosts to their own", () => {
    assert.deepEqual(errors(3, 2), []);
    const report = new Report();
    report.add({ path: "hosts[0].name", given: "", allowed: "", remedy: "" });
    assert.deepEqual(
      errors(5, 3, report).map((e) => e.path),
      ["hosts[0].name"],
    );
  });
});

describe("overrides.redis", () => {
  const overrides = z.strictObject(redisOverrides);
  const accepts = (redis: object): boolean => overrides.safeParse({ redis }).success;

  it("may be left out", () => assert.deepEqual(overrides.parse({}), { redis: {} }));

  it("takes 3 to 9 instances, 64 MiB and more, and any part of a core", () => {
    assert.deepEqual([{ instances: 3 }, { instances: 9 }, { memoryMiB: 64 }, { cpu: 0.01 }].map(accepts), [
      true,
      true,
      true,
      true,
    ]);
    assert.deepEqual(
      [{ instances: 2 }, { instances: 10 }, { memoryMiB: 63 }, { cpu: 0 }, { replicas: 3 }].map(accepts),
      [false, false, false, false, false],
    );
  });

  it("says what each of them is", () => {
    const { shape } = redisOverrides.redis.unwrap();
    assert.equal(redisOverrides.redis.unwrap().meta()!.doc, "Redis.");
    assert.deepEqual(shape.instances.unwrap().meta(), {
      example: 3,
      allowed: "3, 5, 7 or 9",
      doc: "Pods of each Redis set (Synapse's and LiveKit's), each with a Redis and a Sentinel; an odd number.",
    });
  });
});
