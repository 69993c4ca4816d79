/**
 * Started by changes.ts, once for each side: `evaluation.ts CHECKOUT STACK FILE` evaluates a stack with the program and
 * the tools of that checkout, and writes the result without secrets. Each side runs in a process of its own, since both
 * bring a Pulumi runtime.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { readStackConfig } from "../../components/settings/stackFile";
import { withDigests } from "./hide";

/** Errors in settings are reported all at once, without a stack trace. */
const forPeople = (error: any): boolean =>
  error?.__pulumiRunError === true || /^(Settings|Plan)Invalid$/.test(error?.name);

async function main([checkout, stack, file]: string[]): Promise<void> {
  if (!checkout || !stack || !file || !process.env.PREVIEW_KEY)
    throw new Error("evaluation.ts CHECKOUT STACK FILE, with PREVIEW_KEY: changes.ts starts it");
  const { evaluate } = await import(path.join(checkout, "cli/evaluate.ts"));
  const evaluation = await evaluate({ stack, config: readStackConfig(stack, checkout) });
  fs.writeFileSync(file, JSON.stringify(withDigests(evaluation, process.env.PREVIEW_KEY)), { mode: 0o600 });
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(forPeople(error) ? error.message : error.stack);
  process.exit(2);
});
