/** Synapse's processes: how many, how large, which of them writes each stream. */
import assert from "node:assert/strict";
import type { PoolPlan } from "../../../components/sizing";
import {
  AUTOSCALED,
  overrideOf,
  scaleAtPercent,
  streamWriters,
  synapsePools,
  synapseTuning,
  workerClasses,
} from "../../../components/sizing/synapsePools";
import { bare } from "./bare";

const row = (p: PoolPlan): string =>
  [
    p.class,
    p.kind,
    `${p.replicas}-${p.maxReplicas}`,
    `${p.cpu}/${p.memoryMiB}`,
    `${p.cpMin}-${p.cpMax}`,
    p.recoverySeconds ?? "at once",
  ].join(" ");

describe("Synapse's processes", () => {
  it("at 1,000 users: the autoscaled may go to one and a half times, all others stay", () => {
    assert.deepEqual(synapsePools(bare(1_000)).map(row), [
      "main StatefulSet 1-1 1/8192 3-15 20",
      "synchrotron Deployment 4-6 1/2048 3-7 at once",
      "initial-sync Deployment 2-3 1/2048 3-5 at once",
      "generic Deployment 4-6 1/1536 3-7 at once",
      "event-persister StatefulSet 2-2 1/1536 3-12 27",
      "media StatefulSet 2-2 0.5/1024 3-5 at once",
      "ephemeral StatefulSet 1-1 0.5/768 3-5 15",
      "account StatefulSet 1-1 0.5/768 3-5 15",
      "receipts StatefulSet 2-2 0.5/768 3-5 15",
      "device-lists StatefulSet 1-1 0.5/768 3-5 15",
      "pusher StatefulSet 1-1 0.5/768 3-5 15",
      "background StatefulSet 1-1 0.5/768 3-8 15",
      "user-directory StatefulSet 1-1 0.5/768 3-5 15",
    ]);
    assert.ok(synapsePools(bare(1_000)).every((p) => p.recoverySeconds !== undefined || !("recoverySeconds" in p)));
  });

  it("at 20,000 users, with federation and presence", () => {
    const settings = bare(20_000, (s) => {
      s.federation.enabled = true;
      s.presence.enabled = true;
    });
    assert.deepEqual(synapsePools(settings).map(row), [
      "main StatefulSet 1-1 1/16384 3-25 20",
      "synchrotron Deployment 16-24 1/4096 3-7 at once",
      "initial-sync Deployment 5-8 1/4096 3-5 at once",
      "generic Deployment 10-15 1/3072 3-7 at once",
      "event-persister StatefulSet 4-4 1/3072 3-12 27",
      "media StatefulSet 4-4 1/2048 3-5 at once",
      "ephemeral StatefulSet 1-1 1/2048 3-5 15",
      "presence StatefulSet 1-1 1/2048 3-5 15",
      "to-device StatefulSet 1-1 1/2048 3-5 15",
      "account StatefulSet 1-1 1/2048 3-5 15",
      "receipts StatefulSet 3-3 1/2048 3-5 15",
      "device-lists StatefulSet 2-2 1/2048 3-5 15",
      "federation-reader Deployment 6-9 1/2048 3-5 at once",
      "federation-sender StatefulSet 8-8 1/2048 3-5 15",
      "pusher StatefulSet 2-2 1/2048 3-5 15",
      "background StatefulSet 1-1 1/2048 3-10 15",
      "user-directory StatefulSet 1-1 1/2048 3-5 15",
    ]);
  });

  it("exist where the settings need them: federation, presence, and 5,000 users for writers of their own", () => {
    const extra = (ccu: number, federation: boolean, presence: boolean): string[] => {
      const always = workerClasses(bare(100));
      return workerClasses(
        bare(ccu, (s) => {
          s.federation.enabled = federation;
          s.presence.enabled = presence;
        }),
      ).filter((cls) => !always.includes(cls));
    };
    assert.deepEqual(extra(4_999, false, false), []);
    assert.deepEqual(extra(5_000, false, false), ["to-device"]);
    assert.deepEqual(extra(4_999, false, true), []);
    assert.deepEqual(extra(5_000, false, true), ["presence", "to-device"]);
    assert.deepEqual(extra(100, true, false), ["federation-reader", "federation-sender"]);
    assert.deepEqual(AUTOSCALED, ["synchrotron", "initial-sync", "generic", "federation-reader"]);
  });

  it("write each stream; a class that is missing has a stand-in", () => {
    const small = {
      events: "event-persister",
      typing: "ephemeral",
      to_device: "account",
      account_data: "account",
      receipts: "receipts",
      presence: "ephemeral",
      push_rules: "account",
      device_lists: "device-lists",
      thread_subscriptions: "receipts",
      quarantined_media_changes: "media",
    };
    assert.deepEqual(streamWriters(bare(4_999)), small);
    assert.deepEqual(streamWriters(bare(5_000)), { ...small, to_device: "to-device" });
    const present = bare(5_000, (s) => {
      s.presence.enabled = true;
    });
    assert.deepEqual(streamWriters(present), { ...small, to_device: "to-device", presence: "presence" });
  });

  it("have what overrides give, each value alone", () => {
    const planned = (cls: "synchrotron" | "media", override: object): PoolPlan => {
      const settings = bare(1_000, (s) => {
        s.overrides.pools[cls] = override;
      });
      assert.deepEqual(overrideOf(settings, cls), override);
      assert.deepEqual(overrideOf(settings, "main"), {});
      return synapsePools(settings).find((p) => p.class === cls)!;
    };
    const cases: Array<[override: object, row: string]> = [
      [{ replicas: 5 }, "5-8 1/2048 3-7"],
      [{ maxReplicas: 20 }, "4-20 1/2048 3-7"],
      // Below the planned replicas: as few start.
      [{ maxReplicas: 3 }, "3-3 1/2048 3-7"],
      [{ replicas: 6, maxReplicas: 7 }, "6-7 1/2048 3-7"],
      // More than a core is planned for no process, but may be asked for.
      [{ cpu: 2.5 }, "4-6 2.5/2048 3-7"],
      [{ memoryMiB: 777 }, "4-6 1/777 3-7"],
      [{ cpMax: 10 }, "4-6 1/2048 3-10"],
      [{ cpMax: 2 }, "4-6 1/2048 2-2"],
    ];
    for (const [override, expected] of cases)
      assert.equal(row(planned("synchrotron", override)), `synchrotron Deployment ${expected} at once`);
    assert.equal(row(planned("media", { replicas: 3 })), "media StatefulSet 3-3 0.5/1024 3-5 at once");
  });

  it("scale out at 70 % of a core, whatever they request", () => {
    assert.deepEqual(
      [0.02, 0.5, 1, 1.4, 2, 100].map((requested) => [requested, scaleAtPercent(requested)]),
      [
        [0.02, 70],
        [0.5, 70],
        [1, 70],
        [1.4, 50],
        [2, 35],
        // Kubernetes refuses a target of 0 %.
        [100, 1],
      ],
    );
  });

  it("together have caches and rate limits of the size, or as given", () => {
    assert.deepEqual(synapseTuning(bare(7_500)), {
      eventCacheSize: "25K",
      globalCacheFactor: 2.5,
      messagesPerSecond: 300,
      rateLimits: { messagesPerSecond: 18, messagesBurst: 88 },
    });
    const given = synapseTuning(
      bare(100, (s) => {
        s.overrides.synapse = { eventCacheSize: "99K", globalCacheFactor: 7 };
      }),
    );
    assert.deepEqual([given.eventCacheSize, given.globalCacheFactor], ["99K", 7]);
    // In twentieths: 0.5 to 1 from 100 to 1,000 users is 0.501 at 101.
    assert.equal(synapseTuning(bare(101)).globalCacheFactor, 0.55);
  });
});
