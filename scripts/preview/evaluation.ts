/**
 * Started by changes.ts, once for each side: `evaluation.ts CHECKOUT STACK FILE` evaluates a stack with the program and
 * the tools of that checkout, and writes the result without secrets. Each side runs in a process of its own, since both
 * bring a Pulumi runtime.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseWords, runMain, UsageError } from "../../cli/arguments";
import { readStackConfig } from "../../components/settings/stackFile";
import { withDigests } from "./hide";

const USAGE = `evaluation.ts CHECKOUT STACK FILE
  Started by changes.ts, with PREVIEW_KEY: evaluates a stack of a checkout, and writes it down without secrets.`;

async function main(argv: string[]): Promise<void> {
  const [checkout, stack, file] = parseWords(argv, {}).words;
  if (!checkout || !stack || !file || !process.env.PREVIEW_KEY)
    throw new UsageError("a checkout, a stack, a file or PREVIEW_KEY is missing: changes.ts gives them");
  const { evaluate } = await import(path.join(checkout, "cli/evaluate.ts"));
  const evaluation = await evaluate({ stack, config: readStackConfig(stack, checkout) });
  fs.writeFileSync(file, JSON.stringify(withDigests(evaluation, process.env.PREVIEW_KEY)), { mode: 0o600 });
}

runMain(USAGE, main);
