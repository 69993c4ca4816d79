/** Puts each option of the old server into one list, and what is taken into a draft of the stack's settings. Pure. */
import { isPlainObject, pathText } from "../../components/schema/walk";
import { APPSERVICE_RULES } from "./appserviceRules";
import { Draft } from "./draft";
import { extraOutcome } from "./extra";
import { patternOf, type Finding, type Path } from "./finding";
import { IDENTITY_RULES } from "./identityRules";
import { MEDIA_RULES } from "./mediaRules";
import { PEOPLE_RULES } from "./peopleRules";
import { PROCESS_RULES } from "./processRules";
import { RATE_RULES } from "./rateRules";
import type { Facts, Outcome, Rule } from "./rules";

/** The one table: by option, what becomes of it. A later rule of the same option would be a mistake. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  [...IDENTITY_RULES, ...PEOPLE_RULES, ...RATE_RULES, ...MEDIA_RULES, ...APPSERVICE_RULES, ...PROCESS_RULES].map(
    (rule) => [rule.option, rule],
  ),
);
/** Sections in which a rule stands. */
const ABOVE = new Set(
  [...RULES.keys()].flatMap((option) => {
    const parts = option.replaceAll("[]", ".[]").split(".");
    return parts.slice(1).map((_, i) =>
      parts
        .slice(0, i + 1)
        .join(".")
        .replaceAll(".[]", "[]"),
    );
  }),
);

/** A configuration file, or what stands for one. */
export interface Fragment {
  config: Record<string, unknown>;
  /** How an option of it is named in the report. */
  label(path: Path): string;
}

/** Synapse reads its files in their order; a later one replaces whole top-level options. */
export const merged = (fragments: readonly Fragment[]): Record<string, unknown> =>
  Object.assign({}, ...fragments.map(({ config }) => config)) as Record<string, unknown>;

/** Options of which null means that nothing is deleted (synapse/config/server.py); synapse.extra takes null. */
const NEVER = new Set(["redaction_retention_period", "user_ips_max_age", "forgotten_room_retention_period"]);

const withoutValue = (path: Path): Outcome =>
  NEVER.has(patternOf(path))
    ? {
        list: "taken",
        settings: [{ path: ["synapse", "extra", ...path], value: null, secret: false }],
        why: "without a value, nothing is deleted",
      }
    : { list: "dropped", why: "it has no value" };

type Visit = (path: Path, outcome: Outcome) => void;

/** Calls `visit` once for every option, as deep as rules and lists ask for. */
export function walk(config: Record<string, unknown>, facts: Facts, visit: Visit): void {
  const children = (path: Path, value: object, rest?: Rule): void =>
    Object.entries(value).forEach(([key, child]) =>
      go([...path, Array.isArray(value) ? Number(key) : key], child, rest),
    );
  const go = (path: Path, value: unknown, rest?: Rule): void => {
    const pattern = patternOf(path);
    if (value === null || value === undefined) return visit(path, withoutValue(path));
    const rule = RULES.get(pattern);
    const own = rule && !rule.rest ? rule.decide(value, facts, path) : undefined;
    if (own) return visit(path, own);
    const section = isPlainObject(value) || Array.isArray(value);
    if (section && ABOVE.has(pattern)) {
      if (Object.keys(value).length === 0) return visit(path, { list: "dropped", why: "it is empty" });
      return children(path, value, rule?.rest ? rule : rest);
    }
    const general = rest?.decide(value, facts, path) ?? extraOutcome(path, value);
    if (general) visit(path, general);
    else children(path, value as object);
  };
  children([], config);
}

/** What the files of workers add: options of single processes have no place. */
function workerFinding(path: Path, outcome: Outcome, { config, label }: Fragment, shared: unknown): Finding {
  const option = label(path);
  if (outcome.list === "replaced" || outcome.list === "dropped")
    return { option, list: outcome.list, why: outcome.why };
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], config);
  return JSON.stringify(value) === JSON.stringify(shared)
    ? { option, list: "replaced", why: "it is in the shared configuration too" }
    : {
        option,
        list: "decision",
        why: "one process alone has it: the stack's classes of processes share their options",
      };
}

export interface Mapped {
  findings: Finding[];
  draft: Draft;
}

/** @param fragments In the order in which Synapse reads them. */
export function map(fragments: readonly Fragment[], workers: readonly Fragment[], file: Facts["file"]): Mapped {
  const whole = merged(fragments);
  const facts: Facts = {
    get: (option) =>
      option.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], whole),
    file,
  };
  const draft = new Draft();
  const findings: Finding[] = [];
  fragments.forEach((fragment, i) => {
    const later = (key: string): Fragment | undefined =>
      fragments.slice(i + 1).find((f) => Object.hasOwn(f.config, key));
    const valid: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(fragment.config)) {
      const winner = later(key);
      if (winner)
        findings.push({
          option: fragment.label([key]),
          list: "dropped",
          why: `${winner.label([key])} is read later and counts`,
        });
      else valid[key] = value;
    }
    walk(valid, facts, (path, { list, settings = [], why, awaits }) => {
      for (const { path: at, value, secret } of settings)
        if (secret) draft.setSecret(at, String(value));
        else if (value !== undefined) draft.set(at, value);
      const setting = settings[0] && pathText(settings[0].path);
      findings.push({
        option: fragment.label(path),
        list,
        ...(setting ? { setting } : {}),
        ...(why ? { why } : {}),
        ...(awaits ? { awaits } : {}),
      });
    });
  });
  for (const worker of workers)
    walk(worker.config, { ...facts, get: (option) => worker.config[option] ?? facts.get(option) }, (path, outcome) =>
      findings.push(workerFinding(path, outcome, worker, facts.get(path.join(".")))),
    );
  return { findings, draft };
}
