/** What the scripts share that keep generated files of the repository current. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, runMain } from "../cli/arguments";

const ROOT = path.resolve(__dirname, "..");

export interface Generated {
  /** From the repository's root. */
  file: string;
  /** All of it, as it should be. */
  text: string;
}

/**
 * Runs such a script: writes its files, or, with --check, only says which are not up to date (exit code 1).
 *
 * @param script Its file in scripts/.
 * @param about What it makes of what, as a sentence.
 */
export function writeOrCheck(script: string, about: string, generated: () => Generated[]): void {
  const usage = `npx tsx scripts/${script} [--check]
  ${about}
  --check  writes nothing, only says whether that is up to date; exit code 1 when it is not`;
  runMain(usage, async (argv) => {
    const { check } = parse(argv, { check: { type: "boolean" } });
    for (const { file, text } of generated()) {
      const target = path.join(ROOT, file);
      if (!check) {
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.writeFileSync(target, text);
      } else if (!fs.existsSync(target) || fs.readFileSync(target, "utf8") !== text) {
        console.error(`${file} is not up to date: run \`npx tsx scripts/${script}\``);
        process.exitCode = 1;
      }
    }
  });
}
