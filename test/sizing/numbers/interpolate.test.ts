/** Numbers between the sizes that were run. */
import assert from "node:assert/strict";
import {
  LARGEST_CCU,
  SMALLEST_CCU,
  ceilTo,
  cores,
  count,
  interpolate,
  isExtrapolated,
  memoryMiB,
  round2,
  step,
} from "../../../components/sizing/interpolate";
import { sizeNotes } from "../../../components/sizing/notes";

const ROW = [1, 10, 50, 100, 200] as const;
/** Values that do not lie on one line: a neighbour's slope shows. */
const BENT = [2, 4, 4, 9, 10] as const;

describe("numbers between the sizes that were run", () => {
  it("run from 100 to 20,000 users", () => {
    assert.deepEqual([SMALLEST_CCU, LARGEST_CCU], [100, 20_000]);
  });

  it("are the anchor's own at each size, and linear between two", () => {
    assert.deepEqual(
      [100, 550, 1_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000].map((ccu) => interpolate(ROW, ccu)),
      [1, 5.5, 10, 30, 50, 75, 100, 150, 200],
    );
    assert.deepEqual(
      [100, 550, 1_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000].map((ccu) => interpolate(BENT, ccu)),
      [2, 3, 4, 4, 4, 6.5, 9, 9.5, 10],
    );
  });

  it("are those of 100 below it, and go on with the last slope beyond 20,000", () => {
    assert.deepEqual(
      [0, 1, 99, 20_001, 30_000, 40_000].map((ccu) => interpolate(BENT, ccu)),
      [2, 2, 2, 10.0001, 11, 12],
    );
  });

  it("count as extrapolated from 20,001 on", () => {
    assert.deepEqual([99, 20_000, 20_001].map(isExtrapolated), [false, false, true]);
  });

  it("round up to whole steps, and an error of floating point adds none", () => {
    assert.deepEqual(
      [
        [1, 64],
        [64, 64],
        [65, 64],
        [10.1, 1],
        // 0.1 + 0.2 is 0.30000000000000004.
        [(0.1 + 0.2) * 10, 1],
      ].map(([value, to]) => ceilTo(value, to)),
      [64, 64, 128, 11, 3],
    );
    assert.deepEqual([0.125, 1.004, 1.006, 2].map(round2), [0.13, 1, 1.01, 2]);
  });

  it("are whole for replicas, twentieths of a core, and steps of 64 MiB", () => {
    assert.deepEqual(
      [100, 101, 1_000, 1_001].map((ccu) => count(ROW, ccu)),
      [1, 2, 10, 11],
    );
    assert.equal(count(ROW, 1_000, 2.05), 21, "rounded up after the factor");
    assert.deepEqual(
      [100, 101, 550].map((ccu) => cores([0.1, 0.3, 1, 1, 1], ccu)),
      [0.1, 0.15, 0.2],
    );
    assert.deepEqual(
      [100, 101, 1_000].map((ccu) => memoryMiB([0.25, 1, 2, 2, 2], ccu)),
      [256, 320, 1_024],
    );
  });

  it("of quorums step at the anchors, and stay at the last: seven members would only vote more slowly", () => {
    assert.deepEqual(
      [1, 100, 9_999, 10_000, 19_999, 20_000, 60_000].map((ccu) => step([1, 3, 3, 5, 7], ccu)),
      [1, 1, 3, 5, 5, 7, 7],
    );
    assert.deepEqual(
      [999, 1_000, 4_999, 5_000].map((ccu) => step([1, 3, 5, 5, 7], ccu)),
      [1, 3, 3, 5],
    );
  });
});

describe("notes on the number of users", () => {
  const notes = (ccu: number): string[] => sizeNotes({ ccu, extrapolated: isExtrapolated(ccu) });

  it("say that nothing was measured beyond the largest size, or that the smallest is planned", () => {
    assert.deepEqual(notes(20_000), []);
    assert.deepEqual(notes(20_001), [
      "Nothing was measured beyond 20,000 users: these numbers continue the slope between 10,000 and 20,000. Test with load before you rely on them.",
    ]);
    assert.deepEqual(notes(100), []);
    assert.deepEqual(notes(99), ["Planned as for 100 users, the smallest size that was run."]);
  });
});
