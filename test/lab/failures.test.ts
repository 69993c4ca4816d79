/** The promises of test:cluster: every scenario of the list, within the time, and a document that hides nothing. */
import assert from "node:assert/strict";
import { longestGap, type Figures } from "../../lab/scenarios/load";
import { renderReport, type FirstLogin, type Result } from "../../lab/scenarios/report";
import { ALL, choose } from "../../lab/scenarios/scenarios";

const minutes = (list: typeof ALL): number => list.reduce((n, s) => n + s.seconds, 0) / 60;
const figures: Figures = {
  sends: 100,
  every: 500,
  gap: 1.5,
  gapFrom: 0.5,
  roomGap: 2.5,
  roomGapFrom: 0.5,
  failedFirst: 3,
  failedAfterRetry: 1,
  kinds: { 500: 3 },
  slowest: 4,
  lost: 0,
  doubled: 0,
  undelivered: 0,
  deliveryMedian: 0.4,
  deliveryLongest: 3,
  syncErrors: 0,
  baselineMedian: 0.1,
};
const result = (id: string, more: Partial<Result> = {}): Result => {
  const { group, title, how, promised, bounds } = ALL.find((s) => s.id === id)!;
  return {
    id,
    group,
    title,
    how,
    promised,
    bounds,
    date: "2026-11-21 06:09 UTC",
    figures,
    notes: ["a | b"],
    failures: [],
    healed: 1,
    seconds: 30,
    ...more,
  };
};
const around = { versions: { synapse: "1.163.2" }, machine: "three nodes", firstLogins: [] };

describe("test:cluster", () => {
  it("has every failure and change that the documents mention, each once", () => {
    const wanted = [
      "unchanged",
      "used",
      "synchrotron",
      "event-persister",
      "main",
      "workers",
      "router",
      "pooler",
      "postgres-primary",
      "ingress",
      "ingress-moves",
      "minio-node",
      "handover",
      "redis-master",
      "redis-isolated",
      "sentinel-minority",
      "drain-node1",
      "drain-node2",
      "drain-node3",
      "node-frozen",
      "node-lost",
      "node-lost-primary",
      "node-cut",
      "volume-full",
      "certificate",
      "redis-grows",
      "redis-shrinks",
      "change-web",
      "change-settings",
      "change-pool",
      "change-persisters",
      "change-back",
      "upgrade-synapse",
      "backup-restore",
    ];
    assert.deepEqual(
      ALL.map((s) => s.id),
      wanted,
    );
    assert.equal(ALL.at(-1)!.group, "restore", "the scenario that loses data comes last");
  });

  it("takes less than 50 minutes as a whole, under 15 as the part for every change", () => {
    const whole = choose({});
    assert.ok(minutes(whole) < 50, `${minutes(whole)} minutes`);
    assert.ok(!whole.some((s) => s.id === "upgrade-synapse"), "it is for a new version");
    assert.deepEqual(
      choose({ only: ["upgrade-synapse"] }).map((s) => s.id),
      ["upgrade-synapse"],
    );
    const quick = choose({ quick: true });
    for (const s of ALL) {
      assert.ok(!s.partOf || ALL.some((x) => x.id === s.partOf && !x.partOf), `${s.id} is part of nothing`);
      assert.ok(
        !s.takenBackBy || ALL.findIndex((x) => x.id === s.takenBackBy) > ALL.indexOf(s),
        `${s.takenBackBy} comes after ${s.id}`,
      );
    }
    assert.ok(quick.length >= 12 && minutes(quick) < 15, `${quick.length} in ${minutes(quick)} minutes`);
  });

  it("takes back the settings once, whichever scenarios are chosen", () => {
    const ids = (list: typeof ALL): string[] => list.map((s) => s.id);
    assert.deepEqual(ids(choose({ only: ["change-persisters"] })), ["change-persisters", "change-back"]);
    assert.deepEqual(
      ids(choose({ only: ["change-web", "backup-restore"] })),
      ["change-web", "backup-restore"],
      "its deployments take the change back",
    );
    assert.deepEqual(ids(choose({ only: ["redis-grows"] })), ["redis-grows", "redis-shrinks"]);
    assert.ok(ids(choose({ quick: true })).includes("change-back"));
    assert.ok(!ids(choose({})).includes("change-back") && choose({}).at(-1)!.id === "backup-restore");
    assert.throws(() => choose({ only: ["drains"] }), /drains is unknown/);
  });

  it("counts only time in which a client was sending as an outage", () => {
    assert.deepEqual(
      longestGap([900, 1500, 2000, 9000], 1000, 2500),
      { gap: 500, from: 0 },
      "one answer that came long after the last send",
    );
    assert.deepEqual(longestGap([900, 1500, 7000], 1000, 7500), { gap: 5500, from: 500 });
    assert.deepEqual(longestGap([900], 1000, 61_000), { gap: 60_000, from: 0 }, "no send was answered again");
  });

  it("asserts less time than was promised before", () => {
    const gap = (id: string): number => ALL.find((s) => s.id === id)!.bounds.gap;
    assert.ok(
      gap("postgres-primary") <= 120 &&
        gap("redis-master") <= 60 &&
        gap("redis-isolated") <= 60 &&
        gap("drain-node1") <= 240 &&
        gap("node-frozen") <= 240 &&
        gap("node-cut") <= 240 &&
        gap("ingress") <= 20,
    );
    for (const id of ["synchrotron", "event-persister", "main", "workers", "router"]) assert.ok(gap(id) <= 20, id);
  });

  it("reports failures in the table and below it, and never breaks a table", () => {
    const text = renderReport(
      [
        result("main"),
        result("workers", { failures: ["away too long"], table: { head: ["Class"], rows: [["a|b"]] } }),
        result("backup-restore", { figures: undefined }),
      ],
      around,
    );
    assert.match(text, /one class after the other\]\(#workers\) \*\*failed\*\* \|/);
    assert.match(text, /- \*\*away too long\*\*/);
    assert.match(
      renderReport([], { ...around, wholeRun: { date: "2026-11-21 06:09 UTC", minutes: 39, scenarios: 26, bad: 1 } }),
      /took 39 minutes \(2026-11-21 06:09 UTC; 25 of 26 rows/,
    );
    assert.match(text, /\| a\\\|b \|/);
    assert.match(text, /## Backup and restore\n\n<a id="backup-restore">/);
    assert.equal(text.match(/\| 1\.5 s \/ 2\.5 s \| 3 \/ 1 of 100 \| 0 \|/g)!.length, 2);
  });

  it("explains each kind of start-up warning once, and names unexplained ones in the row", () => {
    const login = (warnings: FirstLogin["warnings"]): FirstLogin => ({
      date: "2026-11-22 19:33 UTC",
      cold: false,
      seconds: { cluster: 32, firstLogin: 232, ready: 238 },
      memoryGiB: 6,
      pods: 78,
      notReady: [],
      restarted: [],
      warnings,
    });
    const mount = { reason: "FailedMount", count: 1, example: "Pod a: no" };
    const text = renderReport([], {
      ...around,
      firstLogins: [
        login([
          { ...mount, explained: "too early" },
          { ...mount, explained: "not noted yet" },
        ]),
        login([
          { ...mount, explained: "too early" },
          { reason: "BackOff", count: 2, example: "Pod b: again" },
        ]),
      ],
    });
    assert.deepEqual(text.match(/^- FailedMount: .*/gm), ["- FailedMount: too early", "- FailedMount: not noted yet"]);
    assert.match(text, /\| none \| none \|\n.*\| none \| 2 × BackOff: Pod b: again \|/);
  });
});
