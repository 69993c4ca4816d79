/** Percentiles, and lines with their errors. */
import assert from "node:assert/strict";
import { besidesSize, databaseGrowth, fitted, rowsOf, type Measured } from "../../lab/load/measure";
import { isKnown, isStraight, line, median, percentile } from "../../lab/load/statistics";

const near = (actual: number, wanted: number, within = 1e-9): void =>
  assert.ok(Math.abs(actual - wanted) < within, `${actual}, not ${wanted}`);

describe("load: statistics", () => {
  it("a percentile is the smallest value that so large a share does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.equal(percentile(values, 0.5), 50);
    assert.equal(percentile(values, 0.95), 95);
    assert.equal(percentile(values, 0.99), 99);
    assert.equal(percentile([7], 0.5), 7);
    assert.equal(percentile([7, 9], 0.99), 9);
    assert.equal(percentile([], 0.5), undefined);
  });

  it("the median of an even number is the mean of the two in the middle", () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([9, 1, 5, 6]), 5.5);
  });

  it("a line through exact points has their slope, no error and no bend", () => {
    const l = line([1, 2, 5, 10].map((x) => ({ x, y: 0.5 + 0.02 * x })));
    near(l.slope, 0.02);
    near(l.intercept, 0.5);
    near(l.error, 0, 1e-12);
    assert.ok(isStraight(l) && isKnown(l));
  });

  it("the error of a slope is the one of least squares", () => {
    // By hand: means 2.5 and 5; Sxx 5, Sxy 8, slope 1.6, intercept 1; residuals 0.4 -1.2 1.2 -0.4... squares sum 3.2.
    const l = line([
      { x: 1, y: 3 },
      { x: 2, y: 3 },
      { x: 3, y: 7 },
      { x: 4, y: 7 },
    ]);
    near(l.slope, 1.6);
    near(l.intercept, 1);
    near(l.error, Math.sqrt(3.2 / 2 / 5));
    near(l.bend, 1.2 / 4.8);
  });

  it("a curve is told from a line, and noise from a cost", () => {
    const curve = line([1, 2, 4, 8].map((x) => ({ x, y: x * x })));
    assert.equal(isStraight(curve), false);
    const noise = line([
      { x: 1, y: 5.1 },
      { x: 2, y: 4.9 },
      { x: 3, y: 5.1 },
      { x: 4, y: 4.95 },
    ]);
    assert.equal(isKnown(noise), false);
  });

  it("two points, or one x, are no line", () => {
    assert.throws(() => line([{ x: 1, y: 1 }]), /three points and two different x; given are 1 at 1/);
    assert.throws(() => line([1, 2, 3].map((y) => ({ x: 2, y }))), /given are 3 at 2, 2, 2/);
  });
});

describe("load: costs from steps", () => {
  const step = (amount: number, seconds: number): Measured => ({
    experiment: "send",
    step: amount / seconds,
    seconds,
    amount,
    requests: amount,
    figures: undefined,
    // 20 ms a send in the persister and 2 % of a core at rest; nothing in media.
    cpu: { "event-persister": 0.02 * seconds + 0.02 * amount, media: 0.01 * seconds },
    own: 0.1,
    database: { transactions: 7 * amount, queries: 30 * amount + 5, walBytes: 4096 * amount, bytes: 0 },
  });
  const lines = fitted([step(10, 10), step(44, 11), step(60, 10), step(120, 12)]);

  it("are slopes over the amount a second: steps of another length weigh the same, rest is not cost", () => {
    near(lines.get("event-persister")!.slope, 0.02);
    near(lines.get("event-persister")!.intercept, 0.02);
    near(lines.get("media")!.slope, 0);
    near(lines.get("total")!.slope, 0.02);
    near(lines.get("transactions")!.slope, 7);
    near(lines.get("walBytes")!.slope, 4096, 1e-6);
  });

  it("of a file's request, besides its size, are what is left at size 0, less rest", () => {
    // 1.5 uploads a second: 12 ms each, 20 ms a MiB, and 1 % of a core at rest.
    const upload = (mib: number): Measured => ({
      ...step(1.5 * 10 * mib, 10),
      cpu: { media: 10 * (0.01 + 1.5 * (0.012 + 0.02 * mib)) },
    });
    const rows = besidesSize("upload", fitted([0.5, 1, 2, 3].map(upload)), { idle: { media: 0.01 }, rate: 1.5 });
    assert.equal(rows.length, 1);
    near(rows[0]!.value, 0.012);
    assert.deepEqual([rows[0]!.operation, rows[0]!.how], ["uploadRequest", "derived"]);
  });

  it("of the database's size are its growth by all requests, within a block at either end", () => {
    const grown = [100, 200].map((n) => ({ ...step(n, 10), database: { ...step(n, 10).database, bytes: n * 8192 } }));
    const [row] = databaseGrowth({ id: "send", unit: "send" }, grown);
    near(row!.value, 8192);
    near(row!.error, 1_048_576 / 300);
    assert.deepEqual(databaseGrowth({ id: "send", unit: "send" }, []), []);
  });

  it("become rows with unit and origin", () => {
    const rows = rowsOf({ id: "send", unit: "send" }, lines);
    const row = rows.find((r) => r.part === "event-persister")!;
    assert.deepEqual(
      { ...row, value: Number(row.value.toFixed(9)), error: 0, bend: 0 },
      {
        operation: "send",
        part: "event-persister",
        value: 0.02,
        error: 0,
        unit: "CPU seconds per send",
        how: "measured",
        points: 4,
        known: true,
        straight: true,
        bend: 0,
      },
    );
    assert.equal(rows.find((r) => r.part === "walBytes")!.unit, "bytes of WAL per send");
  });
});
