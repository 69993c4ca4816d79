/** A rise of a cost is found, one of its error is not; a run is judged by what was foretold of it. */
import assert from "node:assert/strict";
import { COSTS, type CostFile, type CostRow } from "../../components/sizing/costs";
import { predictions, risen, risenText } from "../../lab/load/compare";
import { compared } from "../../lab/load";
import type { Report } from "../../lab/load/run";

const changed = (change: (row: CostRow) => CostRow, calibration = COSTS.calibration): CostFile => ({
  ...COSTS,
  calibration,
  rows: COSTS.rows.map(change),
});
const scaled =
  (factor: number, which: (row: CostRow) => boolean) =>
  (row: CostRow): CostRow =>
    which(row) ? { ...row, value: row.value * factor, error: row.error * factor } : row;
const total =
  (operation: string) =>
  (row: CostRow): boolean =>
    row.operation === operation && row.part === "total";
const seconds = (row: CostRow): boolean => row.unit.startsWith("CPU seconds");

describe("load: comparison with what was recorded", () => {
  it("passes the same file, and one that is cheaper", () => {
    assert.deepEqual(risen(COSTS, COSTS), []);
    assert.deepEqual(risen(changed(scaled(0.5, () => true)), COSTS), []);
  });

  it("fails where an operation costs over 15 % more, and says how much", () => {
    assert.deepEqual(risen(changed(scaled(1.14, total("send"))), COSTS), []);
    const found = risen(changed(scaled(1.16, total("send"))), COSTS);
    assert.deepEqual(
      found.map(({ row }) => [row.operation, row.part]),
      [["send", "total"]],
    );
    assert.match(risenText(found), /^send, total: 0\.133 CPU seconds per send, 16 % more than the 0\.115 recorded$/);
  });

  it("fails where one part rises by more than the errors of both, and not by less", () => {
    const part =
      (name: string) =>
      (row: CostRow): boolean =>
        row.operation === "send" && row.part === name;
    assert.equal(risen(changed(scaled(1.3, part("event-persister"))), COSTS).length, 1);
    // 26.0 with an error of 3.1.
    assert.equal(risen(changed(scaled(1.2, part("postgres"))), COSTS).length, 0);
    assert.equal(risen(changed(scaled(1.6, part("postgres"))), COSTS).length, 1);
  });

  it("tells the seconds of a slower machine by its calibration; transactions need none", () => {
    const slower = { node: COSTS.calibration.node * 2, python: COSTS.calibration.python * 2 };
    assert.deepEqual(risen(changed(scaled(2, seconds), slower), COSTS), []);
    assert.ok(risen(changed(scaled(2.4, seconds), slower), COSTS).length > 5);
    const more = risen(
      changed(
        scaled(1.5, (row) => row.part === "queries"),
        slower,
      ),
      COSTS,
    );
    assert.ok(more.length > 0 && more.every(({ row }) => row.part === "queries"));
  });

  it("takes a cost file, or what --measure --json wrote, with the exit code", () => {
    assert.equal(compared(JSON.stringify(COSTS)).code, 0);
    assert.equal(compared(JSON.stringify({ costs: changed(scaled(1.5, total("wake"))), steps: [] })).code, 1);
    assert.throws(() => compared(JSON.stringify({ costs: { rows: [] } })), /calibration/);
  });
});

describe("load: a run beside what was foretold", () => {
  const report = (cpu: Record<string, number>): Report => ({
    plan: { users: 10, seconds: 100, seed: 1 },
    seconds: 100,
    kinds: { send: { offered: 100, served: 100, refused: 0, failed: 0, p50: 1, p95: 1, p99: 1 } },
    woken: { longPoll: 300, sliding: 0, failed: 0, messages: 300 },
    members: 200,
    delivery: { p50: 1, p95: 1, p99: 1 },
    cpu,
    own: 0,
    rooms: { count: 1, largest: 2 },
  });

  it("is right within a quarter, of all parts large enough to judge", () => {
    const rows = predictions({ main: 8, postgres: 10, minio: 5 }, report({ main: 10, postgres: 14, minio: 0.1 }));
    assert.deepEqual(
      rows.map(({ part, wrong }) => [part, wrong]),
      [
        ["postgres", true],
        ["main", false],
        // A two-hundredth of all.
        ["minio", false],
        ["all", false],
      ],
    );
    assert.equal(rows.find((r) => r.part === "postgres")!.off.toFixed(3), "-0.286");
  });

  it("is judged by the recorded costs, with the exit code", () => {
    const value = (operation: string, part: string): number =>
      COSTS.rows.find((r) => r.operation === operation && r.part === part)!.value;
    const synchrotron =
      100 * value("idle", "synchrotron") + 100 * value("send", "synchrotron") + 300 * value("wake", "synchrotron");
    assert.equal(compared(JSON.stringify(report({ synchrotron }))).code, 0);
    assert.equal(compared(JSON.stringify(report({ synchrotron: synchrotron * 1.5 }))).code, 1);
  });
});
