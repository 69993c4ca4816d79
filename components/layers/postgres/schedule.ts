/** On which days a schedule of base backups runs. Pure. */
import { CRON_FIELDS, cronFields } from "../../schema/syntax/text";

const [, , , DAY_OF_MONTH, MONTH, DAY_OF_WEEK] = CRON_FIELDS;
const DAY_MS = 86_400_000;
/** Eight years, in which the 29th of February comes twice: no date is rarer. */
const FROM = Date.UTC(2024, 0, 1);
const DAYS = 8 * 365 + 2;

/** Whether a field names a value, as robfig/cron reads it: a step without an end goes to the largest value. */
function names(field: string, { min, max, names: words = [] }: (typeof CRON_FIELDS)[number]): (n: number) => boolean {
  const read = (word: string): number => (/^\d+$/.test(word) ? Number(word) : words.indexOf(word.toUpperCase()) + min);
  const ranges = field.split(",").map((item) => {
    const [range, step] = item.split("/");
    const [from, to] = isAny(range) ? [min, max] : range.split("-").map(read);
    return { from, to: to ?? (step === undefined ? from : max), step: Number(step ?? 1) };
  });
  return (n) => ranges.some(({ from, to, step }) => n >= from && n <= to && (n - from) % step === 0);
}

const isAny = (field: string): boolean => field === "*" || field === "?";

/**
 * The most days from one day with a run to the next; 0 where it never runs twice.
 *
 * @example daysBetweenRuns("0 0 2 * * MON-FRI") === 3
 */
export function daysBetweenRuns(schedule: string): number {
  const [, , , dayOfMonth, month, dayOfWeek] = cronFields(schedule);
  const inMonth = names(dayOfMonth, DAY_OF_MONTH);
  const inYear = names(month, MONTH);
  const inWeek = names(dayOfWeek, DAY_OF_WEEK);
  // If both fields of days are given, a day counts when either names it.
  const either = !isAny(dayOfMonth) && !isAny(dayOfWeek);
  const runs = (d: Date): boolean => {
    const [a, b] = [inMonth(d.getUTCDate()), inWeek(d.getUTCDay())];
    return inYear(d.getUTCMonth() + 1) && (either ? a || b : a && b);
  };
  const days = Array.from({ length: DAYS }, (_, i) => i).filter((i) => runs(new Date(FROM + i * DAY_MS)));
  return Math.max(0, ...days.slice(1).map((day, i) => day - days[i]));
}
