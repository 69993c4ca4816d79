/** The options that the pinned Synapse knows, with what it says of their types. Pure. */
import { isPlaceholder } from "../../../schema/syntax/keys";
import { nearest } from "../../../schema/syntax/text";
import { isPlainObject } from "../../../schema/walk";
import list from "./options.json";

/** What is known of an option. */
export interface SynapseOption {
  /** Types by Synapse's documentation, with `|` between them. @default any */
  type?: string;
  /** The options of a section. @default any */
  options?: Record<string, SynapseOption>;
  /** The options of each entry of a list. @default any */
  entries?: Record<string, SynapseOption>;
}
/** The committed list. */
export interface SynapseOptions {
  /** The version that it was taken from. */
  synapse: string;
  source: string;
  options: Record<string, SynapseOption>;
}
const LIST: SynapseOptions = list;

/** The version of Synapse whose options these are. */
export const OPTIONS_VERSION = LIST.synapse;
/** All of them, by name. */
export const OPTIONS = LIST.options;
export const isOption = (name: string): boolean => Object.hasOwn(LIST.options, name);

/** A value that Synapse would not know, or not take. */
export interface OptionProblem {
  kind: "unknown" | "type";
  path: Array<string | number>;
  /** What is allowed there, as a noun phrase. */
  allowed: string;
  /** What may have been meant: the nearest name. */
  meant?: string;
}

/** What is wrong with the value of an option, as far as its documentation says. @param path Begins with its name */
export function optionProblems(path: Array<string | number>, value: unknown): OptionProblem[] {
  const name = String(path[0]);
  if (!isOption(name)) return [unknown(path, LIST.options)];
  return problemsOf(LIST.options[name]!, path, value);
}

function problemsOf(option: SynapseOption, path: Array<string | number>, value: unknown): OptionProblem[] {
  // Left empty, an option has its default; and only the engine knows what is encrypted.
  if (value === null || value === undefined || isPlaceholder(value)) return [];
  const types = option.type?.split("|");
  if (types && !types.some((type) => isOf(type, value)))
    return [{ kind: "type", path, allowed: types.map((type) => WORDS[type] ?? type).join(", or ") }];
  if (isPlainObject(value) && option.options) return children(option.options, path, value);
  if (Array.isArray(value) && option.entries)
    return value.flatMap((entry, i) => (isPlainObject(entry) ? children(option.entries!, [...path, i], entry) : []));
  return [];
}

const children = (
  known: Record<string, SynapseOption>,
  path: Array<string | number>,
  value: Record<string, unknown>,
): OptionProblem[] =>
  Object.entries(value).flatMap(([key, inner]) =>
    Object.hasOwn(known, key) ? problemsOf(known[key]!, [...path, key], inner) : [unknown([...path, key], known)],
  );

function unknown(path: Array<string | number>, known: Record<string, SynapseOption>): OptionProblem {
  const names = Object.keys(known);
  // The number of a feature is no word: the nearest is another feature.
  const meant = path[0] === "experimental_features" ? undefined : nearest(String(path.at(-1)), names);
  const there = names.length > 20 ? `one of ${names.length} there` : `one of ${names.join(", ")}`;
  return {
    kind: "unknown",
    path,
    allowed:
      path.length === 1 ? `an option of Synapse ${LIST.synapse}` : `${there}: Synapse ${LIST.synapse} reads no other`,
    ...(meant === undefined ? {} : { meant }),
  };
}

const WORDS: Record<string, string> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  null: "null",
  number: "a number",
  object: "a section",
  string: "a text",
  duration: "a duration such as 30s, 5m, 2h, 7d, 4w",
  size: "a number of bytes, or a size such as 500K, 10M",
};

/** Whether a value may be of a type: what is a text to the documentation may be a number to YAML. */
function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isPlainObject(value);
    case "boolean":
      return typeof value === "boolean";
    case "integer":
    case "number":
      return typeof value === "number";
    case "null":
      return false;
    default:
      return typeof value === "string" || typeof value === "number";
  }
}

/** The value as Synapse takes it: `pulumi config set --path` makes texts of fractions, and of lists and sections. */
export function typedValue(name: string, value: unknown): unknown {
  return isOption(name) ? typed(LIST.options[name]!, value) : value;
}

function typed(option: SynapseOption, value: unknown): unknown {
  const types = option.type?.split("|") ?? [];
  if (typeof value === "string" && types.length > 0 && !types.some((type) => isOf(type, value))) {
    const read = fromText(value);
    return types.some((type) => isOf(type, read)) ? typed(option, read) : value;
  }
  if (isPlainObject(value) && option.options) return typedChildren(option.options, value);
  if (Array.isArray(value) && option.entries)
    return value.map((entry) => (isPlainObject(entry) ? typedChildren(option.entries!, entry) : entry));
  return value;
}

const typedChildren = (known: Record<string, SynapseOption>, value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, Object.hasOwn(known, key) ? typed(known[key]!, inner) : inner]),
  );

function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
