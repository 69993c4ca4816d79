/** Requests are due by a Poisson process that a seed determines, whatever becomes of them. */
import assert from "node:assert/strict";
import { HABITS, rates, roomSizes } from "../../lab/load/model";
import { seeded, shuffled } from "../../lab/load/random";
import { scheduled } from "../../lab/load/run";
import { arrivals, evenArrivals, merged } from "../../lab/load/schedule";

describe("load: schedule", () => {
  it("the same seed gives the same requests at the same times; another seed or name gives others", () => {
    const plan = { users: 50, rate: 4, seconds: 30, seed: 7 };
    assert.deepEqual(scheduled(plan), scheduled(plan));
    assert.notDeepEqual(scheduled(plan), scheduled({ ...plan, seed: 8 }));
    // Literal numbers: a change of the generator would make earlier runs unrepeatable.
    const draw = seeded(1, "send");
    assert.deepEqual(
      [draw(), draw(), draw()].map((v) => Number(v.toFixed(6))),
      [0.627873, 0.51376, 0.049074],
    );
    assert.notEqual(seeded(1, "send")(), seeded(1, "login")());
  });

  it("arrivals are as many as the rate says, with the spread of a Poisson process", () => {
    const counts = Array.from({ length: 400 }, (_, i) => arrivals(seeded(i), 5, 20).length);
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length,
      variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (counts.length - 1);
    assert.ok(Math.abs(mean - 100) < 2, `mean ${mean}`);
    assert.ok(variance > 75 && variance < 125, `variance ${variance}`);
  });

  it("times rise, stay inside the run, and none is at rate 0", () => {
    const times = arrivals(seeded(3), 50, 10);
    assert.deepEqual(
      times,
      [...times].sort((x, y) => x - y),
    );
    assert.ok(times.every((t) => t > 0 && t < 10));
    assert.deepEqual(arrivals(seeded(3), 0, 10), []);
  });

  it("even arrivals have the same number in every second", () => {
    const times = evenArrivals(seeded(4), 3, 20);
    assert.equal(times.length, 60);
    for (let second = 0; second < 20; second += 1)
      assert.equal(times.filter((t) => t >= second && t < second + 1).length, 3);
  });

  it("kinds are merged in order of time", () => {
    const due = merged(
      new Map([
        ["a", [1, 5]],
        ["b", [0.5, 3]],
      ]),
    );
    assert.deepEqual(due, [
      { kind: "b", at: 0.5 },
      { kind: "a", at: 1 },
      { kind: "b", at: 3 },
      { kind: "a", at: 5 },
    ]);
  });

  it("a shuffled list has the same members and another order, and leaves the original", () => {
    const list = Array.from({ length: 30 }, (_, i) => i);
    const other = shuffled(seeded(5), list);
    assert.notDeepEqual(other, list);
    assert.deepEqual(
      [...other].sort((x, y) => x - y),
      list,
    );
    assert.equal(list[0], 0);
  });
});

describe("load: model", () => {
  it("3,600 users send 144 messages a second by default; what follows from messages follows the given rate", () => {
    assert.equal(rates(3600).get("send"), 144);
    const given = rates(3600, 10);
    assert.equal(given.get("send"), 10);
    assert.equal(given.get("typing"), 20);
    assert.equal(given.get("presence"), 4);
    assert.ok(Math.abs(given.get("login")! - 0.02) < 1e-12);
  });

  it("every figure has its source", () => {
    for (const [kind, { source }] of Object.entries(HABITS)) assert.ok(source.length > 15, kind);
  });

  it("rooms have a long tail: half of them are of two or three, few are large, and users are in six on average", () => {
    const sizes = roomSizes(seeded(9, "world"), 2000);
    const sum = sizes.reduce((total, s) => total + s, 0);
    assert.ok(sum >= 12_000 && sum <= 14_000, `${sum} memberships`);
    const small = sizes.filter((s) => s <= 3).length / sizes.length;
    assert.ok(small > 0.45 && small < 0.65, `${small} of the rooms are small`);
    assert.ok(sizes[0]! > 100 && sizes[0]! <= 2000, `the largest has ${sizes[0]}`);
    assert.equal(Math.min(...sizes), 2);
    assert.deepEqual(sizes, roomSizes(seeded(9, "world"), 2000));
  });

  it("no room has more members than there are users", () => {
    assert.ok(roomSizes(seeded(2, "world"), 5).every((s) => s <= 5));
  });
});
