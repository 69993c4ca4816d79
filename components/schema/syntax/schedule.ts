/**
 * Schedules in the form of robfig/cron, which CloudNativePG's ScheduledBackup reads: six fields, the seconds first.
 * Pure.
 */

interface Field {
  name: string;
  min: number;
  max: number;
  /** Words for the values, from `min` on. */
  words?: string[];
}

const FIELDS = {
  second: { name: "second", min: 0, max: 59 },
  minute: { name: "minute", min: 0, max: 59 },
  hour: { name: "hour", min: 0, max: 23 },
  dayOfMonth: { name: "day of month", min: 1, max: 31 },
  month: {
    name: "month",
    min: 1,
    max: 12,
    words: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  },
  dayOfWeek: { name: "day of week", min: 0, max: 6, words: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
} satisfies Record<string, Field>;
/** In the order in which a schedule has them. */
const ORDER: Field[] = Object.values(FIELDS);

/** What each word for a schedule stands for (robfig/cron, parser.go, parseDescriptor). */
const WORDS: Record<string, string> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

const fieldsOf = (text: string): string[] => (Object.hasOwn(WORDS, text) ? WORDS[text] : text).trim().split(/\s+/);

/** Values that an item of a field names: from `from` to `to`, in steps. */
interface Range {
  from: number;
  to: number;
  step: number;
}

const isAny = (text: string): boolean => text === "*" || text === "?";

/** An item of a field, such as `8-12/2`; undefined when it is none. A step without an end goes to the largest value. */
function rangeOf(item: string, { min, max, words = [] }: Field): Range | undefined {
  const match = /^(\*|\?|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)?)(?:\/(\d+))?$/.exec(item);
  if (!match) return undefined;
  // A word that the field does not have comes out below the least number.
  const read = (part: string): number => (/^\d+$/.test(part) ? Number(part) : words.indexOf(part.toUpperCase()) + min);
  const [from, end] = isAny(match[1]) ? [min, max] : match[1].split("-").map(read);
  const to = end ?? (match[2] === undefined ? from : max);
  const step = Number(match[2] ?? 1);
  return step >= 1 && min <= from && from <= to && to <= max ? { from, to, step } : undefined;
}

/**
 * What is wrong with a schedule: six fields, or `@daily` and the like. undefined when it is valid.
 *
 * @example
 *   cronProblem("0 0 2 * * *"); // undefined: every day at 02:00
 *   cronProblem("0 2 * * *"); // "5 fields"
 */
export function cronProblem(text: string): string | undefined {
  const fields = fieldsOf(text);
  if (fields.length !== 6) return `${fields.length} field${fields.length === 1 ? "" : "s"}`;
  for (const [i, field] of ORDER.entries()) {
    if (!fields[i].split(",").every((item) => rangeOf(item, field))) return `${field.name} "${fields[i]}"`;
  }
  return undefined;
}

/** A field of a schedule. */
export interface CronField {
  /** Whether it is a star or a question mark. */
  any: boolean;
  /** Every value that it names. */
  values: ReadonlySet<number>;
}
/** A schedule, read. */
export type Cron = Record<keyof typeof FIELDS, CronField>;

/** Reads a valid schedule. @example parseCron("0 0 2 * * MON-FRI").dayOfWeek.values has 1 to 5 */
export function parseCron(text: string): Cron {
  const fields = fieldsOf(text);
  return Object.fromEntries(
    Object.entries(FIELDS).map(([key, field], i): [string, CronField] => {
      const values = fields[i].split(",").flatMap((item) => {
        const { from, to, step } = rangeOf(item, field)!;
        return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step);
      });
      return [key, { any: isAny(fields[i]), values: new Set(values) }];
    }),
  ) as Cron;
}
