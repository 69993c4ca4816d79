/**
 * `pulumi` and `kubectl` from PATH. Output that contains secrets is kept in memory, and nowhere else.
 */
import { spawnSync } from "node:child_process";
import { Refused } from "../arguments";

export interface Run {
  cwd?: string;
  /** On standard input. */ input?: string;
}

/** Its standard output. Its error messages go to the terminal unchanged. */
function run(program: string, args: readonly string[], { cwd, input }: Run, hint: string): string {
  const done = spawnSync(program, args, {
    cwd,
    input,
    encoding: "utf8",
    maxBuffer: 1 << 29,
    stdio: [input === undefined ? "inherit" : "pipe", "pipe", "inherit"],
  });
  if (done.error)
    throw new Refused(`${program} could not be run (${(done.error as NodeJS.ErrnoException).code}): ${hint}`);
  if (done.status !== 0)
    throw new Refused(
      `${program} ${args.join(" ")} ended with ${done.status ?? done.signal}; its own message is above.`,
    );
  return done.stdout;
}

export const pulumi = (args: readonly string[], options: Run = {}): string =>
  run("pulumi", args, options, "install the Pulumi CLI, and run this where Pulumi.yaml is.");

/** The JSON in its output; a prompt for the passphrase may precede it. */
export const json = (text: string): string => text.slice(Math.max(0, text.indexOf("{")));

export const kubectl = (args: readonly string[], context?: string): string =>
  run(
    "kubectl",
    [...(context ? ["--context", context] : []), "--request-timeout=20s", ...args],
    {},
    "install kubectl, and set KUBECONFIG to the cluster's.",
  );
