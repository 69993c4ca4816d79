/** The options that every command understands, and the stack's configuration that they select. */
import { parseArgs } from "node:util";
import { applySets, readStackConfig } from "../components/settings/stackFile";

export interface StackSelection {
  stack: string;
  config: Record<string, unknown>;
}

export const STACK_OPTIONS = {
  stack: { type: "string", short: "s" },
  set: { type: "string", multiple: true },
  cwd: { type: "string" },
} as const;

export class UsageError extends Error {}

/** The reason why a request is refused, as a message for the user; exit code 1. */
export class Refused extends Error {}

/** Strict: an unknown option is an error, not silence. */
export function parse<
  T extends Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean; default?: any }>,
>(argv: string[], options: T): Record<string, any> {
  try {
    return parseArgs({
      args: argv,
      options: { ...options, help: { type: "boolean", short: "h" } } as any,
      strict: true,
      allowPositionals: false,
    }).values as Record<string, any>;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function selectStack(values: Record<string, any>): StackSelection {
  if (!values.stack)
    throw new UsageError("--stack is missing: the name of a Pulumi.<stack>.yaml, for example --stack small");
  return { stack: values.stack, config: stackConfig(values.stack, values) };
}

/**
 * The settings of a stack file under --set; a missing file, or a path that does not exist, is a usage error.
 */
export function stackConfig(stack: string, values: Record<string, any>): Record<string, unknown> {
  try {
    return applySets(readStackConfig(stack, values.cwd), values.set ?? []);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Runs a command's main function: usage errors and errors in settings are for the user, so they print without a stack
 * trace.
 */
export function runMain(usage: string, main: (argv: string[]) => Promise<void>): void {
  const argv = process.argv.slice(2);
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(usage);
    return;
  }
  main(argv).catch((error: Error & { errors?: unknown }) => {
    const forPeople =
      error instanceof UsageError || error.name === "SettingsInvalid" || (error as any).__pulumiRunError === true;
    console.error(forPeople ? error.message : error.stack);
    if (error instanceof UsageError) console.error(`\n${usage}`);
    process.exitCode = 2;
  });
}
