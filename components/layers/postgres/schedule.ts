/** On which days a schedule of base backups runs. Pure. */
import { parseCron } from "../../schema/syntax/schedule";

const DAY_MS = 86_400_000;
/** Eight years, in which the 29th of February comes twice: no date is rarer. */
const FROM = Date.UTC(2024, 0, 1);
const DAYS = 8 * 365 + 2;

/**
 * The most days from one day with a run to the next; 0 where it never runs twice.
 *
 * @example daysBetweenRuns("0 0 2 * * MON-FRI") === 3
 */
export function daysBetweenRuns(schedule: string): number {
  const { dayOfMonth, month, dayOfWeek } = parseCron(schedule);
  // If both fields of days are given, a day counts when either names it.
  const either = !dayOfMonth.any && !dayOfWeek.any;
  const runs = (d: Date): boolean => {
    const [a, b] = [dayOfMonth.values.has(d.getUTCDate()), dayOfWeek.values.has(d.getUTCDay())];
    return month.values.has(d.getUTCMonth() + 1) && (either ? a || b : a && b);
  };
  const days = Array.from({ length: DAYS }, (_, i) => i).filter((i) => runs(new Date(FROM + i * DAY_MS)));
  return Math.max(0, ...days.slice(1).map((day, i) => day - days[i]));
}
