/** The costs foretell a run: each thing that was done, times what one costs, and rest. */
import assert from "node:assert/strict";
import type { CostFile } from "../../lab/load/costs";
import { foretold } from "../../lab/load/foretell";
import type { Report } from "../../lab/load/run";

const figures = (served: number): Report["kinds"][string] => ({
  offered: served + 1,
  served,
  refused: 1,
  failed: 0,
  p50: 1,
  p95: 1,
  p99: 1,
});
const report: Report = {
  plan: { users: 10, seconds: 20, seed: 1 },
  seconds: 20,
  kinds: { send: figures(100), upload: figures(4), login: figures(2) },
  woken: { longPoll: 300, sliding: 50, failed: 0, messages: 300 },
  members: 1000,
  delivery: { p50: 1, p95: 1, p99: 1 },
  cpu: {},
  own: 0,
  rooms: { count: 1, largest: 2 },
};
const cost = (
  operation: string,
  part: string,
  value: number,
  unit = "CPU seconds per one",
): CostFile["rows"][number] => ({
  operation,
  part,
  value,
  error: 0,
  unit,
  how: "measured",
  source: "run of a day",
});

describe("load: foretelling", () => {
  it("adds up what was served, by part", () => {
    const costs = {
      rows: [
        cost("idle", "main", 0.01),
        cost("send", "main", 0.002),
        cost("send", "postgres", 0.005),
        cost("member", "postgres", 0.0001),
        cost("wake", "synchrotron", 0.01),
        cost("wakeSliding", "synchrotron", 0.02),
        cost("upload", "media", 0.03),
        cost("uploadRequest", "media", 0.01),
        cost("login", "main", 0.25),
        cost("send", "walBytes", 9000, "bytes of WAL per send"),
      ],
    } as unknown as CostFile;
    const seconds = foretold(costs, report);
    assert.deepEqual(
      [...seconds].map(([part, s]) => [part, Number(s.toFixed(6))]),
      [
        // 20 s at rest, 100 sends, 2 logins.
        ["main", 0.2 + 0.2 + 0.5],
        // 100 sends; of the 1,000 members of their rooms, 200 are in the cost of a send.
        ["postgres", 0.5 + 0.08],
        ["synchrotron", 3 + 1],
        // 4 files of half a MiB.
        ["media", 0.06 + 0.04],
      ],
    );
  });
});
