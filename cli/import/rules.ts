/** How a rule says what becomes of an option. Pure. */
import { pathText } from "../../components/schema/walk";
import type { List, Path } from "./finding";
import { indexesOf, pathOf } from "./finding";

/** What a rule may ask about the old server. */
export interface Facts {
  /** The value of another option. @example get("email.app_name") */
  get(option: string): unknown;
  /** The text of a file of the old machine; undefined where it is not at hand. */
  file(path: string): string | undefined;
}

/** A setting that an option gives. */
export interface Given {
  path: Path;
  value: unknown;
  /** It is kept out of the stack file. */
  secret: boolean;
}
/** What becomes of an option. */
export interface Outcome {
  list: List;
  settings?: Given[];
  why?: string;
  /** The setting of a secret that is not at hand. */
  awaits?: string;
}

export interface Rule {
  option: string;
  /**
   * What becomes of it as a whole; undefined where the rules of what is in it say so.
   * @param at Where the option stands: a rule of a list's items stands at several places.
   */
  decide(value: unknown, facts: Facts, at: Path): Outcome | undefined;
  /** It speaks for what is in the section and has no rule of its own. @default false */
  rest?: boolean;
}

/** A reason not to take a value, which a converter returns in place of a setting's value. */
export class Not {
  constructor(
    readonly list: Exclude<List, "taken">,
    readonly why: string,
    readonly awaits?: string,
  ) {}
}
/** A setting's value with a remark. */
export class But {
  constructor(
    readonly value: unknown,
    readonly why: string,
  ) {}
}
export const decide = (why: string): Not => new Not("decision", why);
export const replace = (why: string): Not => new Not("replaced", why);
export const drop = (why: string): Not => new Not("dropped", why);

/** A setting's value, or why there is none. */
export type Converter = (value: unknown, facts: Facts, at: Path) => unknown;

function outcomeOf(converted: unknown, path: Path, secret: boolean): Outcome {
  if (converted instanceof Not) {
    const { list, why, awaits } = converted;
    return { list, why, ...(awaits === undefined ? {} : { awaits }) };
  }
  const remark = converted instanceof But ? converted : undefined;
  const value = remark ? remark.value : converted;
  return { list: "taken", settings: [{ path, value, secret }], ...(remark ? { why: remark.why } : {}) };
}

/** The value is that of the setting. */
export const asIs: Converter = (value) => value;

/** An option that becomes a setting. Indexes of lists go along in their order. */
export const take = (option: string, setting: string, convert: Converter = asIs): Rule => ({
  option,
  decide: (value, facts, at) => outcomeOf(convert(value, facts, at), pathOf(setting, indexesOf(at)), false),
});

/** An option that holds a secret. */
export const takeSecret = (option: string, setting: string, convert: Converter = secretText): Rule => ({
  option,
  decide: (value, facts, at) => outcomeOf(convert(value, facts, at), pathOf(setting, indexesOf(at)), true),
});

/** An option that names the file that holds a secret. */
export const takeSecretFile = (option: string, setting: string): Rule =>
  takeSecret(option, setting, (value, facts, at) => {
    const text = facts.file(String(value));
    return text === undefined ? missingFile(placeOf(setting, at)) : secretText(text.trim());
  });

/** A setting's place, with the indexes that its option has. */
export const placeOf = (setting: string, at: Path): string => pathText(pathOf(setting, indexesOf(at)));

/** A secret of which the file is not at hand: `secrets.sh` sets it once it is. */
export const missingFile = (setting: string): Not =>
  new Not(
    "decision",
    `the file is not at hand: name the folder that stands for the old machine's / with --root, or put its text into secrets/${setting} before you run secrets.sh`,
    setting,
  );

/** The text of a secret, unless something stands in its place. */
export function secretText(value: unknown): unknown {
  const text = String(value ?? "");
  if (text.trim() === "") return drop("it is empty");
  // What templates and examples have in place of a secret.
  if (/^(YOUR_[A-Z_]+|CHANGEME|<.*>)$/.test(text)) return drop("it is a template's text and no secret");
  if (/^(@@\w+@@|\$\{\w+\})$/.test(text))
    return decide("it stands for a value that is filled in when the old server starts: give that one");
  return text;
}

const fixed =
  (list: Exclude<List, "taken">) =>
  (option: string, why: string): Rule => ({ option, decide: () => ({ list, why }) });
/** An option in place of which the stack decides, and why. */
export const replaced = fixed("replaced");
/** An option without a place in the stack, and what to know about that. */
export const dropped = fixed("dropped");
/** An option about which a person has to decide. */
export const undecided = fixed("decision");

/** In place of whatever is in a section and has no rule of its own, the stack decides. */
export const replacedRest = (option: string, why: string): Rule => ({ ...replaced(option, why), rest: true });

/** Rules that say the same about several options. */
export const each = (of: (option: string, why: string) => Rule, options: string, why: string): Rule[] =>
  options.split(" ").map((option) => of(option, why));
