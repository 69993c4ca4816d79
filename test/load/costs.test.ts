/** The data file of costs is whole, and the page is of the same run. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROOF, ROOT } from "../../lab/common/folders";
import { costsFrom, derivedRows, figure, type CostFile, type CostRow } from "../../components/sizing/costs";
import { profileOf } from "../../components/sizing/activity";
import { afterRun, costText } from "../../lab/load/costs";
import { EXPERIMENTS } from "../../lab/load/experiments";

const text = fs.readFileSync(path.join(ROOT, "components/sizing/costs.json"), "utf8");
const costs = costsFrom(JSON.parse(text));
const page = fs.readFileSync(path.join(PROOF, "capacity.md"), "utf8");

describe("load: measured costs", () => {
  it("each row has its value, unit, error and origin", () => {
    assert.ok(costs.rows.length > 100, `${costs.rows.length} rows`);
    for (const row of costs.rows) {
      const name = `${row.operation}, ${row.part}`;
      assert.ok(Number.isFinite(row.value) && Number.isFinite(row.error) && row.error >= 0, name);
      assert.match(row.unit, / per |^share of /, name);
      assert.ok(row.source.length >= 10, name);
      if (row.how === "measured") assert.ok(row.points! >= 1, name);
      // What was not measured says so, and has no error that would look like one.
      if (row.how === "decided") {
        assert.match(row.source, /not measured|measured nowhere|not told from zero/, name);
        assert.ok(row.error === 0 && row.points === undefined, name);
      }
    }
  });

  it("every experiment was run at four rates at least, for all classes and the database; what was not is named", () => {
    const classes = [
      "main",
      "synchrotron",
      "initial-sync",
      "generic",
      "event-persister",
      "media",
      "postgres",
      "pgbouncer",
    ];
    const run = EXPERIMENTS.filter(
      ({ id, unit }) => !new RegExp(`Not measured in this run:.*\\b${unit}\\b`).test(page) || id === "send",
    );
    for (const { id } of run)
      for (const part of [...classes, "redis", "router", "total", "transactions", "walBytes"]) {
        const row = costs.rows.find((r) => r.operation === id && r.part === part);
        assert.ok(row && row.how === "measured" && row.points! >= 4, `${id}, ${part}`);
      }
  });

  it("a part costs no less than nothing by more than three times its error", () => {
    for (const { operation, part, value, error, unit } of costs.rows)
      if (unit.startsWith("CPU seconds") && operation !== "idle")
        assert.ok(value > -3 * error - 1e-3, `${operation}, ${part}: ${value} ± ${error}`);
  });

  it("the calibration and the machine's load are stated", () => {
    assert.ok(costs.calibration.node > 0.001 && costs.calibration.python > 0.001);
    assert.equal(costs.machine.load.length, 2);
  });

  it("the page is of the same run as the file", () => {
    assert.ok(page.includes(`${costs.date}. Synapse `));
    const send = costs.rows.find((r) => r.operation === "send" && r.part === "total")!;
    assert.ok(page.includes(`| send | ${(send.value * 1000).toFixed(1)} ± ${(send.error * 1000).toFixed(1)} |`));
  });

  it("an operation that was not measured has decided rows, and one that was has none beside them", () => {
    for (const { id } of EXPERIMENTS) {
      const mine = costs.rows.filter((r) => r.operation === id && r.unit.startsWith("CPU seconds per"));
      assert.ok(mine.length > 0, `${id} costs nothing`);
      const kinds = new Set(mine.filter((r) => r.part !== "follower").map((r) => r.how));
      assert.equal(kinds.size, 1, `${id}: ${[...kinds].join(", ")}`);
    }
  });

  it("each part has each row once, and the file is as the command writes it", () => {
    const names = costs.rows.map((r) => `${r.operation} ${r.part}`);
    assert.equal(new Set(names).size, names.length);
    assert.equal(costText(costs), text);
  });

  it("derived rows follow from the measured ones", () => {
    for (const row of derivedRows(costs)) {
      const recorded = figure(costs, row.operation, row.part);
      assert.equal(recorded.how, "derived");
      assert.ok(Math.abs(recorded.value / row.value - 1) < 1e-3 && Math.abs(recorded.error / row.error - 1) < 1e-3);
    }
    const typical = profileOf("typical"),
      messages = typical.messagesPerUserHour * typical.dayShare * 24;
    const media = (typical.mediaMiBPerUserDay * 2 ** 20) / messages;
    assert.ok(Math.abs(figure(costs, "message", "mediaBytes").value / media - 1) < 0.01, `${media}`);
  });

  it("decided bounds hold what was measured: bytes of WAL and of the database, and the vendor's follower", () => {
    const wal = figure(costs, "send", "walBytes");
    assert.ok(figure(costs, "message", "walBytes").value > wal.value + 2 * wal.error);
    const database = figure(costs, "send", "databaseBytes");
    const decided = figure(costs, "message", "databaseBytes").value;
    assert.ok(decided > database.value - 2 * database.error && decided < database.value + 2 * database.error);
  });

  it("a file with a row that says not how it is known, or from what, is refused", () => {
    const without = (field: keyof CostRow): unknown => {
      const [{ [field]: _, ...row }] = costs.rows as [CostRow];
      return { ...costs, rows: [row] };
    };
    for (const field of ["how", "source", "unit", "value", "error", "part", "operation"] as const)
      assert.throws(() => costsFrom(without(field)), new RegExp(field), field);
    assert.throws(() => costsFrom({ ...costs, rows: [{ ...costs.rows[0], how: "guessed" }] }), /measured/);
  });

  it("a run replaces what it measured, with what follows from it, and leaves the other decided rows", () => {
    const row = (operation: string, part: string): CostRow => ({
      operation,
      part,
      value: 0.01,
      error: 0.001,
      unit: `CPU seconds per ${operation}`,
      how: "measured",
      points: 5,
      source: "run of another day",
    });
    const followers = ["media", "account", "device-lists", "initial-sync"].map((part) => row("send", part));
    const run: CostFile = { ...costs, rows: [...followers, row("login", "main")] };
    const after = afterRun(run, costs);
    const of = (operation: string): string[] => after.rows.filter((r) => r.operation === operation).map((r) => r.part);
    assert.deepEqual(of("login"), ["main"]);
    assert.deepEqual(of("typing"), ["ephemeral", "router", "redis"]);
    // 0.01 of two media repositories, and of one each of three others.
    assert.equal(figure(after, "send", "follower").value.toFixed(5), ((0.005 + 3 * 0.01) / 4).toFixed(5));
    assert.ok(of("send").includes("growsWithProcesses") && of("notice").includes("follower"));
    assert.ok(of("message").includes("walBytes") && of("memory").includes("cacheEntry"));
    assert.ok(!of("send").includes("generic") && of("wake").length === 0);
    costsFrom(JSON.parse(costText(after)));
  });
});
