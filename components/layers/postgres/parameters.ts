/**
 * What PostgreSQL and its operator accept as parameters of postgresql.conf. The list is the real server's own
 * (parameters.json, written by scripts/postgres-parameters.ts); the syntax of values is that of PostgreSQL's
 * documentation, "Parameter Names and Values" (config-setting). Pure.
 */
import { nearest } from "../../schema/syntax/text";
import data from "./parameters.json";

/** A row of pg_settings. */
export interface Parameter {
  type: "bool" | "integer" | "real" | "string" | "enum";
  /** What a number without a unit counts. @example "8kB" */
  unit?: string;
  /** In `unit`. */
  min?: number;
  max?: number;
  /** Of an enum. */
  values?: string[];
  /** Shows a value that cannot be set. @default false */
  internal?: boolean;
}

export interface ParameterData {
  /** Version of the server that listed them. */
  server: string;
  /** Version of the operator. */
  operator: string;
  /** Parameters that the operator fixes, or refuses to have changed. */
  refusedByOperator: string[];
  parameters: Record<string, Parameter>;
}

const { refusedByOperator, parameters: LISTED, server, operator } = data as ParameterData;

/**
 * Extension pgaudit: the operator loads it once one of its parameters is given, and the image has it. From its README,
 * section Settings.
 */
const PGAUDIT: Record<string, Parameter> = {
  "pgaudit.log": { type: "string" },
  "pgaudit.log_catalog": { type: "bool" },
  "pgaudit.log_client": { type: "bool" },
  "pgaudit.log_level": {
    type: "enum",
    values: ["debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "log"],
  },
  "pgaudit.log_parameter": { type: "bool" },
  "pgaudit.log_parameter_max_size": { type: "integer", min: 0, max: 1073741823 },
  "pgaudit.log_relation": { type: "bool" },
  "pgaudit.log_rows": { type: "bool" },
  "pgaudit.log_statement": { type: "bool" },
  "pgaudit.log_statement_once": { type: "bool" },
  "pgaudit.role": { type: "string" },
};
const PARAMETERS: Record<string, Parameter> = { ...LISTED, ...PGAUDIT };
const major = server.split(".")[0];

/** Values that the operator refuses in a cluster of several instances (its webhook, validateConfiguration). */
const REFUSED_VALUES: Record<string, { when: (value: string) => boolean; allowed: string }> = {
  wal_level: { when: (v) => /^minimal$/i.test(v), allowed: "logical or replica: standbys and the archive need it" },
  wal_log_hints: { when: isOff, allowed: "on: a former primary is rewound with it" },
};

/** What the server asks of a number beyond its range (its check hooks), by parameter, in the parameter's unit. */
const FURTHER: Record<string, { holds: (n: number) => boolean; allowed: string; remedy: string }> = {
  ...Object.fromEntries(
    ["commit_timestamp_buffers", "subtransaction_buffers", "transaction_buffers"].map((name) => [
      name,
      { holds: (n: number) => n % 16 === 0, allowed: "a multiple of 16 (pages of 8kB)", remedy: "write 128kB" },
    ]),
  ),
  vacuum_buffer_usage_limit: {
    holds: (n) => n === 0 || n >= 128,
    allowed: "0, or 128kB to 16GB",
    remedy: "write 128kB",
  },
};

/** Why a parameter is refused. */
export interface ParameterProblem {
  /** Completes "allowed: ". */
  allowed: string;
  /** Completes "remedy: ". */
  remedy: string;
}

/** What is wrong with a parameter; undefined where server and operator accept it. */
export function parameterProblem(name: string, value: string): ParameterProblem | undefined {
  if (refusedByOperator.includes(name))
    return {
      allowed: `parameters that CloudNativePG ${operator} does not set itself; it refuses this one`,
      remedy: "remove the parameter",
    };
  const known = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
  if (!known) {
    const meant = nearest(name, Object.keys(PARAMETERS));
    return {
      allowed: `parameters of PostgreSQL ${major}, and of its extensions pg_stat_statements, auto_explain and pgaudit`,
      remedy: meant ? `did you mean \`${meant}\`?` : `see https://www.postgresql.org/docs/${major}/runtime-config.html`,
    };
  }
  if (known.internal)
    return { allowed: "parameters that can be set; this one only shows a value", remedy: "remove the parameter" };
  const refused = REFUSED_VALUES[name];
  if (refused?.when(value)) return { allowed: refused.allowed, remedy: "remove the parameter" };
  return valueProblem(name, known, value);
}

function valueProblem(name: string, p: Parameter, value: string): ParameterProblem | undefined {
  switch (p.type) {
    case "string":
      return undefined;
    case "bool":
      return asBool(value) === undefined ? { allowed: "on or off", remedy: "write on or off" } : undefined;
    case "enum":
      return enumProblem(p.values ?? [], value);
    default:
      return numberProblem(p, value, FURTHER[name]);
  }
}

/** Whether a switch is off, in any word that PostgreSQL reads. */
export function isOff(value: string): boolean {
  return asBool(value) === false;
}

/** As PostgreSQL reads it: any unambiguous beginning of true, false, yes, no, on, off; 1; 0. */
function asBool(value: string): boolean | undefined {
  const v = value.toLowerCase();
  if (v === "") return undefined;
  if ("true".startsWith(v) || "yes".startsWith(v) || v === "on" || v === "1") return true;
  if ("false".startsWith(v) || "no".startsWith(v) || v === "of" || v === "off" || v === "0") return false;
  return undefined;
}

function enumProblem(values: string[], value: string): ParameterProblem | undefined {
  const v = value.toLowerCase();
  if (values.some((known) => known.toLowerCase() === v)) return undefined;
  // Enums with on and off accept the other words for them too, in full (guc_tables.c).
  if (values.includes("on") && values.includes("off") && /^(true|false|yes|no|1|0)$/.test(v)) return undefined;
  const meant = nearest(v, values);
  return {
    allowed: values.join(", "),
    remedy: meant ? `did you mean \`${meant}\`?` : `write one of them, such as ${values[0]}`,
  };
}

/** What one unit is in the smallest of its kind, in the order from small to large (guc.c). */
const MEMORY: Record<string, number> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
const TIME: Record<string, number> = { us: 1, ms: 1e3, s: 1e6, min: 6e7, h: 3.6e9, d: 8.64e10 };

const NUMBER = /^\s*([-+]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?))\s*([a-z]*)\s*$/i;

/** The units of a parameter, and its own in the smallest of them. */
function unitsOf(unit: string): { units: Record<string, number>; base: number } {
  const [, count, name] = /^(\d*)([A-Za-z]+)$/.exec(unit)!;
  const units = name in MEMORY ? MEMORY : TIME;
  return { units, base: Number(count || 1) * units[name] };
}

function numberProblem(p: Parameter, value: string, further?: (typeof FURTHER)[string]): ParameterProblem | undefined {
  const what = p.type === "integer" ? "a whole number" : "a number";
  const { units, base } = p.unit ? unitsOf(p.unit) : { units: {}, base: 1 };
  const names = Object.keys(units);
  const range = `${spoken(p.min!, p.unit)} to ${spoken(p.max!, p.unit)}`;
  const allowed = p.unit ? `${what} and a unit (${names.join(", ")}), ${range}` : `${what} without a unit, ${range}`;
  const m = NUMBER.exec(value);
  if (!m || (m[2] !== "" && !names.includes(m[2])))
    return { allowed, remedy: correctUnit(value, names) ?? `write it like ${example(p)}` };
  const exact = (readNumber(m[1]) * (m[2] === "" ? base : units[m[2]])) / base;
  const counted = p.type === "integer" ? Math.round(exact) : exact;
  if (counted >= p.min! && counted <= p.max!)
    return further && !further.holds(counted) ? { allowed: further.allowed, remedy: further.remedy } : undefined;
  const bound = counted < p.min! ? p.min! : p.max!;
  return { allowed, remedy: `write ${spoken(bound, p.unit)}, or a value in between` };
}

/** As C's strtol and strtod do: a leading 0 means octal in a whole number. */
const readNumber = (digits: string): number =>
  /^[-+]?0[0-7]+$/.test(digits) ? parseInt(digits, 8) : /^[-+]/.test(digits) ? signed(digits) : Number(digits);
const signed = (digits: string): number => (digits.startsWith("-") ? -1 : 1) * Number(digits.slice(1));

/** A number in the parameter's unit, in a form that PostgreSQL reads. @example spoken(16, "8kB") === "128kB" */
function spoken(n: number, unit: string | undefined): string {
  if (!unit) return String(n);
  const [, count, name] = /^(\d*)([A-Za-z]+)$/.exec(unit)!;
  const { units } = unitsOf(unit);
  const whole = n * Number(count || 1);
  if (whole <= 0) return String(n);
  const larger = Object.keys(units)
    .slice(Object.keys(units).indexOf(name))
    .filter((u) => Number.isInteger((whole * units[name]) / units[u]))
    .pop();
  return larger ? `${(whole * units[name]) / units[larger]}${larger}` : `${whole}${name}`;
}

/** A value of a usual size. */
const example = (p: Parameter): string =>
  spoken(Math.max(p.min!, Math.min(p.max!, p.unit?.endsWith("kB") ? 65536 : 64)), p.unit);

/** Units as people write them elsewhere, and PostgreSQL's own word. */
const OTHER_UNITS: Record<string, string> = {
  k: "kB",
  kb: "kB",
  kib: "kB",
  m: "MB",
  mb: "MB",
  mib: "MB",
  g: "GB",
  gb: "GB",
  gib: "GB",
  t: "TB",
  tb: "TB",
  tib: "TB",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  minute: "min",
  minutes: "min",
  mins: "min",
  hour: "h",
  hours: "h",
  day: "d",
  days: "d",
};

/** "write 64MB", where a wrong unit leaves no doubt. */
function correctUnit(value: string, names: string[]): string | undefined {
  const m = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(value);
  if (!m) return undefined;
  const unit = names.find((n) => n.toLowerCase() === m[2].toLowerCase()) ?? OTHER_UNITS[m[2].toLowerCase()];
  if (unit && names.includes(unit)) return `write ${m[1]}${unit}`;
  return names.length === 0 ? `write ${m[1]}, without a unit` : undefined;
}
