/** Shared by `test:local` and `test:engine`: selects the tests, and runs mocha over them with the proof's hooks. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { parseWords, UsageError } from "../../cli/arguments";
import { ROOT } from "../common/folders";

/** Names on the command line, also separated by commas. @throws for unknown names. */
export function namesFrom(argv: readonly string[], known: readonly string[]): string[] {
  const names = parseWords(argv, {}).words.flatMap((x) => x.split(","));
  const unknown = names.filter((n) => !known.includes(n));
  if (unknown.length) throw new UsageError(`no test named ${unknown.join(", ")}; known are ${known.join(", ")}`);
  return names;
}

/** mocha's exit code. The working folder is the repository. */
export function runMocha(
  files: readonly string[],
  options: { args: readonly string[]; env: NodeJS.ProcessEnv },
): number {
  const mocha = path.join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  return (
    spawnSync(
      process.execPath,
      [
        mocha,
        "--no-config",
        "--require",
        "tsx",
        "--require",
        "./lab/proof/measured.ts",
        "--exit",
        ...options.args,
        ...files,
      ],
      {
        cwd: ROOT,
        stdio: "inherit",
        env: { ...process.env, ...options.env },
      },
    ).status ?? 1
  );
}
