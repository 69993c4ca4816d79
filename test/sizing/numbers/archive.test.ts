/** Backups: what they take, month by month, how long a restore lasts, and when the store is full. */
import assert from "node:assert/strict";
import type { Settings } from "../../../components/settings/types";
import type { Plan } from "../../../components/sizing";
import { basesPerDay, monthsUntilFull, planBackups } from "../../../components/sizing/backups";
import { bare } from "./bare";

type Backups = NonNullable<Plan["backups"]>;
const archive = (ccu: number, change: (s: Settings) => void = () => undefined, storageGiB = 651): Backups =>
  planBackups({ settings: bare(ccu, change), storageGiB })!;
const elsewhere = (s: Settings): void => {
  s.backups.target = { kind: "s3" } as never;
};

describe("the archive", () => {
  it("at 1,000 users, beside the media: 37 days and a base backup before them", () => {
    const { storeGiBByMonth, ...rest } = archive(1_000);
    assert.deepEqual(rest, {
      onSite: true,
      // 30 days, and 7 for which MinIO keeps what was deleted.
      bases: 38,
      // 50 events a second x 5 % x 86,400 s x 30 kB is 6.03 GiB; packed to 40 %.
      walGiBPerDay: 2.4,
      // 216,000 events a day x 5 kB, for a year.
      databaseGiB: 368,
      storeGiB: 5_390,
      // 368 GiB at 100 MiB/s, and a day's WAL at 30 MiB/s.
      restoreSeconds: 3_966,
      walParallel: 2,
      baseJobs: 2,
    });
    // The window fills in the first two months; once the volume is full, nothing grows any more.
    assert.deepEqual(
      storeGiBByMonth,
      [
        266, 739, 1_204, 1_670, 2_135, 2_600, 3_065, 3_530, 3_995, 4_460, 4_925, 5_390, 5_855, 6_320, 6_785, 7_250,
        7_715, 8_180, 8_645, 9_110, 9_575, 9_939, 9_987, 9_987,
      ],
    );
  });

  it("elsewhere keeps nothing that was deleted; a weekly base backup needs a week of WAL more", () => {
    const { storeGiBByMonth, ...rest } = archive(1_000, (s) => {
      elsewhere(s);
      s.backups.schedule = "0 0 2 * * 0";
      s.backups.retentionDays = 14;
    });
    assert.deepEqual(rest, {
      onSite: false,
      // Two weeks, and one before them.
      bases: 3,
      walGiBPerDay: 2.4,
      databaseGiB: 368,
      storeGiB: 483,
      // A week of WAL is replayed.
      restoreSeconds: 5_202,
      walParallel: 2,
      baseJobs: 2,
    });
    assert.deepEqual(storeGiBByMonth.slice(0, 3), [79, 116, 153]);
  });

  it("is on the stack's own hosts only where its target and the store are", () => {
    const s3 = (s: Settings): void => {
      s.objectStore = { kind: "s3" } as never;
    };
    assert.equal(archive(1_000).onSite, true);
    assert.equal(archive(1_000, s3).onSite, false);
    assert.equal(archive(1_000, elsewhere).onSite, false);
  });

  it("grows with the users, and is packed by more processes", () => {
    const { walGiBPerDay, walParallel, baseJobs } = archive(7_500);
    // 4 to 8 from 5,000 to 10,000 users.
    assert.deepEqual([walGiBPerDay, walParallel, baseJobs], [14.5, 6, 6]);
    // 0.48 GiB a day at 100 users.
    assert.equal(archive(100).walGiBPerDay, 0.5);
    assert.equal(archive(100).databaseGiB, 74);
  });

  it("of a database on a small volume is no larger than the volume", () => {
    assert.equal(archive(1_000, undefined, 5).databaseGiB, 5);
    // 38 x 5 GiB and 38 days of WAL, packed.
    assert.equal(archive(1_000, undefined, 5).storeGiB, 168);
  });

  it("is absent where backups are off", () => {
    assert.equal(
      planBackups({
        settings: bare(1_000, (s) => {
          s.backups.enabled = false;
        }),
        storageGiB: 651,
      }),
      undefined,
    );
  });
});

describe("a schedule of base backups", () => {
  const CASES: Array<[schedule: string, perDay: number]> = [
    ["0 0 2 * * *", 1],
    ["  0 0 2 * * *  ", 1],
    ["0 0  2 * * *", 1],
    ["0 0 2 ? * ?", 1],
    ["0 0 */6 * * *", 4],
    ["0 0 * * * *", 24],
    ["0 * 2 * * *", 60],
    ["0,30 0 2 * * *", 2],
    ["0 0 2,14 * * *", 2],
    ["0 0 2,2 * * *", 1],
    ["0 0 8-10 * * *", 3],
    ["0 0 8-12/2 * * *", 3],
    // From 20 on in steps of two: 20 and 22.
    ["0 0 20/2 * * *", 2],
    ["0 0 2 * * 0", 1 / 7],
    ["0 0 2 * * 1-5", 5 / 7],
    ["0 0 2 * * MON,THU", 2 / 7],
    ["0 0 2 ? * MON", 1 / 7],
    ["0 0 2 1 * *", 12 / 365],
    ["0 0 2 1,15 * ?", 24 / 365],
    // A day counts when either field names it, and no more than once.
    ["0 0 2 1 * 0", 12 / 365 + 1 / 7],
    ["0 0 2 1-31 * 0-6", 1],
    ["0 0 2 * 1-6 *", 1 / 2],
    ["0 0 2 * ? *", 1],
    ["0 0 2 * JAN *", 1 / 12],
    ["0 0 2 * * MON-FRI", 5 / 7],
    ["0 0 2 * JAN-MAR *", 1 / 4],
    ["0 0 2 * */2 *", 1 / 2],
  ];
  for (const [schedule, perDay] of CASES)
    it(`${JSON.stringify(schedule)} makes ${perDay.toFixed(3)} a day`, () => {
      assert.ok(Math.abs(basesPerDay(schedule) - perDay) < 1e-9, String(basesPerDay(schedule)));
    });
});

describe("the months until the store is full", () => {
  const months = (usableGiB: number, storeGiBByMonth?: number[], onSite = true): number | undefined =>
    monthsUntilFull({ usableGiB, growthGiBPerYear: 120 }, storeGiBByMonth && ({ onSite, storeGiBByMonth } as Backups));
  const constant = Array.from({ length: 24 }, () => 50);

  it("are those in which media and backups still fit", () => {
    // Ten GiB of media a month, beside 50 GiB of backups.
    assert.deepEqual(
      [59, 60, 61, 70, 169].map((gib) => months(gib, constant)),
      [0, 1, 1, 2, 11],
    );
    const growing = constant.map((_, m) => (m + 1) * 10);
    assert.deepEqual(
      [19, 20, 39, 40].map((gib) => months(gib, growing)),
      [0, 1, 1, 2],
    );
  });

  it("are unknown after two years", () => {
    assert.deepEqual(
      [289, 290].map((gib) => months(gib, constant)),
      [23, undefined],
    );
  });

  it("count no backups that are elsewhere, or off", () => {
    assert.deepEqual([months(59, constant, false), months(59)], [5, 5]);
  });
});
