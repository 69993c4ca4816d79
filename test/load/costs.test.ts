/** The data file of costs is whole, and the page is of the same run. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROOF, ROOT } from "../../lab/common/folders";
import type { CostFile } from "../../lab/load/costs";
import { EXPERIMENTS } from "../../lab/load/experiments";

const costs = JSON.parse(fs.readFileSync(path.join(ROOT, "components/sizing/costs.json"), "utf8")) as CostFile;
const page = fs.readFileSync(path.join(PROOF, "capacity.md"), "utf8");

describe("load: measured costs", () => {
  it("each row has its value, unit, error and origin", () => {
    assert.ok(costs.rows.length > 100, `${costs.rows.length} rows`);
    for (const row of costs.rows) {
      const name = `${row.operation}, ${row.part}`;
      assert.ok(Number.isFinite(row.value) && Number.isFinite(row.error) && row.error >= 0, name);
      assert.match(row.unit, / per /, name);
      if (row.how === "measured") assert.ok(row.points! >= 1, name);
      else assert.ok(row.source, `${name}: derived or decided from what?`);
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
        assert.ok(row && row.points! >= 4, `${id}, ${part}`);
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
});
