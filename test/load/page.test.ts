/** The page says what was measured, in milliseconds, and what could not be told. */
import assert from "node:assert/strict";
import { costText, type CostFile, type CostRow } from "../../lab/load/costs";
import { capacityPage, replicated } from "../../lab/load/page";
import type { Report } from "../../lab/load/run";
import { reportText } from "../../lab/load/table";

const row = (part: string, value: number, more: Partial<CostRow> = {}): CostRow => ({
  operation: "send",
  part,
  value,
  error: value / 10,
  unit: "CPU seconds per send",
  how: "measured",
  points: 5,
  known: true,
  straight: true,
  bend: 0.04,
  source: "run of a day",
  ...more,
});
const costs: CostFile = {
  date: "2026-11-30",
  command: "npm run load -- --measure",
  machine: { cpu: "A processor", cores: 2, load: [3.2, 8.9] },
  calibration: { node: 0.1, python: 0.25 },
  processes: { media: 2, account: 1 },
  rows: [
    row("event-persister", 0.02),
    row("generic", 0.03),
    row("media", 0.002),
    row("pusher", 0.0001, { known: false }),
    row("total", 0.06),
    row("transactions", 9.04),
    row("queries", 41.26),
    row("walBytes", 10_240),
  ],
};
const report: Report = {
  plan: { users: 10, seconds: 20, seed: 1 },
  seconds: 20,
  kinds: { send: { offered: 12, served: 8, refused: 3, failed: 1, p50: 40.2, p95: 90.7, p99: 99.9 } },
  woken: { longPoll: 30, sliding: 2, failed: 0, messages: 31 },
  delivery: { p50: 55, p95: 130, p99: undefined },
  cpu: { router: 0.4, main: 3.6 },
  own: 0.25,
  rooms: { count: 7, largest: 9 },
  members: 40,
};
const check = { report, foretold: { main: 3, router: 0.5, total: 9 } };
const page = capacityPage({
  check,
  costs,
  steps: [],
  idle: { main: 0.01, media: 0.02 },
  versions: { synapse: "1.163.2", postgres: "18.1" },
});

describe("load: page", () => {
  it("gives the cost of one, with its error, its transactions and its WAL", () => {
    assert.match(page, /^\| send \| 60\.0 ± 6\.0 \| yes \| 9\.0 \| 41\.3 \| 10\.0 \|$/m);
  });

  it("lists the parts by cost, and none that cannot be told from zero", () => {
    assert.match(page, /generic 30\.0 ± 3\.0, event-persister 20\.0 ± 2\.0, media 2\.0 ± 0\.2$/m);
    assert.doesNotMatch(page, /pusher/);
  });

  it("says what a process pays that only follows: a class's cost by its processes", () => {
    assert.deepEqual(
      replicated(costs).map(({ part, each }) => [part, each]),
      [["media", 0.001]],
    );
    assert.match(page, /media 1\.00 ± 0\.10 ms; on average 1\.00 ms/);
  });

  it("says how busy the machine was, how it compares, and what it did at rest", () => {
    assert.match(page, /load average was 3 to 9/);
    assert.match(page, /0\.250 CPU seconds in Python, 0\.100 in Node/);
    assert.match(page, /all parts together used 3\.0 % of a core: media 2\.00, main 1\.00/);
  });

  it("compares a run with what the costs foretell of it", () => {
    assert.match(page, /^\| main \| 3\.00 \| 3\.60 \| -17 % \|$/m);
    assert.match(page, /^\| router \| 0\.50 \| 0\.40 \| 25 % \|$/m);
    assert.match(page, /^\| all \| 3\.50 \| 4\.00 \| -13 % \|$/m);
  });

  it("says of a bent line that it is one", () => {
    const bent = { ...costs, rows: [row("total", 0.06, { straight: false, bend: 0.31 })] };
    assert.match(
      capacityPage({ costs: bent, check, steps: [], idle: {}, versions: { synapse: "1", postgres: "18" } }),
      /^\| send \| 60\.0 ± 6\.0 \| no \(31 %\) \|/m,
    );
  });
});

describe("load: data file", () => {
  it("has a line for each row, and numbers of four digits", () => {
    const text = costText({ ...costs, rows: [row("main", 0.0123456789), row("redis", 0.5)] });
    const lines = text.split("\n").filter((l) => l.includes('"part"'));
    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /"value":0\.01235,"error":0\.001235,/);
    assert.equal(JSON.parse(text).rows[1].value, 0.5);
    assert.equal(JSON.parse(text).calibration.python, 0.25);
  });
});

describe("load: report of a run", () => {
  it("has what was offered, served, refused and failed, latencies, and the CPU of each part apart from the generator's", () => {
    const text = reportText(report);
    assert.match(text, /^send +12 +8 +3 +1 +40 +91 +100$/m);
    // 8 requests and 32 answers to waiting clients.
    assert.match(text, /^main +3\.60 +18\.0 % +90\.00$/m);
    assert.match(text, /^all +4\.00 +20\.0 % +100\.00$/m);
    assert.match(text, /the load generator itself: 0\.25 CPU s/);
    assert.match(text, /31 messages delivered, p50 55 ms, p95 130 ms, p99 - ms/);
  });
});
