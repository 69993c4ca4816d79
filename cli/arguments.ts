/** How every program here reads its command line; and the stack's configuration that common options select. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { SettingsInvalid } from "../components/core/errors";
import { VERSION } from "../components/core/version";
import { applySets, readStackConfig } from "../components/settings/stackFile";
import { nearest } from "../components/schema/syntax/text";

export interface StackSelection {
  stack: string;
  config: Record<string, unknown>;
}

export const STACK_OPTIONS = {
  stack: { type: "string", short: "s" },
  set: { type: "string", multiple: true },
  cwd: { type: "string" },
} as const;

/** What is wrong with a command line, in words for people; exit code 2, and the usage below it. */
export class UsageError extends Error {}

/** Why two sides cannot be compared though the command line is right, as a message for the user; exit code 2. */
export class CannotCompare extends Error {}

/** The reason why a request is refused, as a message for the user; exit code 1. */
export class Refused extends Error {}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; strict: true; allowPositionals: true }>
>;

/** What parseArgs has against a command line (the first line of its message names it), and what is allowed instead. */
function explained(error: Error & { code?: string }, options: Options): UsageError {
  const [problem = ""] = error.message.split("\n");
  const all = Object.entries(options).map(([name, { type }]) => `--${name}${type === "string" ? " VALUE" : ""}`);
  const allowed = all.length ? `The options are ${all.join(", ")}.` : "There are no options.";
  if (error.code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") return new UsageError(`${problem}. ${allowed}`);
  const given = /'([^']+)'/.exec(problem)?.[1] ?? "";
  const meant = nearest(given, Object.keys(options));
  return new UsageError(`the option ${given} is unknown${meant ? `; did you mean --${meant}?` : "."} ${allowed}`);
}

/**
 * Options, and the words between them.
 *
 * @throws UsageError For an option that is unknown, lacks its value, or has one that it does not take.
 */
export function parseWords<T extends Options>(
  argv: readonly string[],
  options: T,
): { values: Parsed<T>["values"]; words: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: true });
    return { values: values as Parsed<T>["values"], words: positionals };
  } catch (error) {
    throw explained(error as Error, options);
  }
}

/** Options alone: a word between them is an error as well. */
export function parse<T extends Options>(argv: readonly string[], options: T): Parsed<T>["values"] {
  const { values, words } = parseWords(argv, options);
  if (words.length)
    throw new UsageError(`"${words.join(" ")}" is not expected: write options only, each with -- before its name`);
  return values;
}

/** What STACK_OPTIONS hold. */
interface StackValues {
  stack?: string;
  set?: string[];
  cwd?: string;
}

export function selectStack(values: StackValues): StackSelection {
  if (!values.stack)
    throw new UsageError("--stack is missing: the name of a Pulumi.<stack>.yaml, for example --stack small");
  return { stack: values.stack, config: stackConfig(values.stack, values) };
}

/**
 * The settings of a stack file under --set; a missing file, or a path that does not exist, is a usage error.
 */
export function stackConfig(stack: string, values: StackValues): Record<string, unknown> {
  try {
    return applySets(readStackConfig(stack, values.cwd), values.set ?? []);
  } catch (error) {
    if (error instanceof SettingsInvalid) throw error;
    throw new UsageError((error as Error).message);
  }
}

/**
 * Runs a program's main function, or prints its usage for --help, and the version for --version. Errors of use and of
 * settings are read by people, so they print without a stack trace; exit code 2.
 */
export function runMain(usage: string, main: (argv: string[]) => Promise<void>): void {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(usage);
    return;
  }
  if (argv.includes("--version")) {
    console.log(VERSION);
    return;
  }
  main(argv).catch((error: Error & { errors?: unknown }) => {
    const forPeople =
      error instanceof UsageError ||
      error instanceof CannotCompare ||
      error.name === "SettingsInvalid" ||
      (error as any).__pulumiRunError === true;
    console.error(forPeople ? error.message : error.stack);
    if (error instanceof UsageError) console.error(`\n${usage}`);
    process.exitCode = 2;
  });
}
