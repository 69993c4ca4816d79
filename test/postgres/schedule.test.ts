/** When the newest base backup is too old: later than the schedule leaves at most between two. */
import assert from "node:assert/strict";
import { backupMaxAgeSeconds } from "../../components/layers/postgres/alerts";
import { daysBetweenRuns } from "../../components/layers/postgres/schedule";

/** A schedule, and the most days from one backup to the next. */
const DAYS: Array<[schedule: string, days: number]> = [
  ["0 0 2 * * *", 1],
  ["0 0 2 ? * ?", 1],
  ["0 0 2 ? * *", 1],
  ["0 0 2 * * ?", 1],
  [" 0  0 2 * * * ", 1],
  ["0 0 */6 * * *", 1],
  ["0 0 2 * JAN-DEC SUN-SAT", 1],
  ["0 0 2 * * 1-5", 3], // Friday to Monday
  ["0 0 2 * * MON-FRI", 3],
  ["0 0 2 * * mon,wed,fri", 3],
  ["0 0 2 * * 0,3", 4], // Wednesday to Sunday
  ["0 0 2 * * 0", 7],
  ["0 0 2 * * SUN", 7],
  ["0 0 2 * * SAT", 7],
  ["0 0 2 * * 0-6/2", 2], // Saturday to Sunday is one day, the others are two apart
  ["0 0 2 * * 1/3", 4], // Monday and Thursday
  ["0 0 2 1 * *", 31],
  ["0 0 2 31 * *", 61], // the 31st of March to that of May
  ["0 0 2 */2 * *", 2], // the 31st and the 1st are odd both: at most two
  ["0 0 2 1,15 * *", 17],
  ["0 0 2 10-20 * *", 21],
  ["0 0 2 1 * MON", 7], // either of both fields
  ["0 0 2 1 */3 *", 92], // the first of July to that of October
  ["0 0 2 1 FEB *", 366],
  ["0 0 2 1 2,DEC ?", 304], // the first of February to that of December, in a leap year
  ["0 0 2 29 2 *", 1461], // only in leap years
  ["0 0 2 30 2 *", 0], // never
  ["@hourly", 1],
  ["@daily", 1],
  ["@midnight", 1],
  ["@weekly", 7],
  ["@monthly", 31],
  ["@yearly", 366],
  ["@annually", 366],
];

describe("the schedule of base backups", () => {
  for (const [schedule, days] of DAYS)
    it(`"${schedule}" leaves at most ${days} days between two`, () => assert.equal(daysBetweenRuns(schedule), days));

  it("may be two hours late where it is daily, else a day", () => {
    const HOUR = 3600;
    for (const [schedule, hours] of [
      ["0 0 2 * * *", 26],
      ["@daily", 26],
      ["0 0 2 */2 * *", 3 * 24],
      ["0 0 2 * * 0", 8 * 24],
      ["@weekly", 8 * 24],
      ["0 0 2 1 * *", 32 * 24],
      ["@yearly", 367 * 24],
      // No backup is ever made: the alert must not wait for one.
      ["0 0 2 30 2 *", 26],
    ] as const)
      assert.equal(backupMaxAgeSeconds(schedule), hours * HOUR, schedule);
  });
});
