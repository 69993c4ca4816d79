/**
 * A step of the workflow: `engine.ts STACK` runs the engine's preview of a stack and records its result.
 */
import { parseWords, runMain, UsageError } from "../../cli/arguments";
import { stackNames } from "../../components/settings/stackFile";
import { previewStack } from "./enginePreview";
import { withoutSecrets } from "./hide";
import { ROOT, writeResult, type EngineResult } from "./results";

const USAGE = `npx tsx scripts/preview/engine.ts STACK
  Runs \`pulumi preview\` of Pulumi.<STACK>.yaml without a cluster and without its secrets. With PULUMI_ACCESS_TOKEN or
  PULUMI_BACKEND_URL (and what decrypts the stack's secrets) it previews against what is deployed.`;

export function stackArgument(argv: readonly string[]): string {
  const known = stackNames(ROOT).join(", ");
  const [stack, ...more] = parseWords(argv, {}).words;
  if (!stack || more.length) throw new UsageError(`give one stack, of: ${known}`);
  if (!stackNames(ROOT).includes(stack))
    throw new UsageError(`there is no stack "${stack}"; stacks with a file: ${known}`);
  return stack;
}

const figures = (r: EngineResult): string =>
  `${
    Object.entries(r.operations)
      .map(([op, n]) => `${n} ${op}`)
      .join(", ") || "nothing registered"
  }; ${r.seconds.toFixed(1)} s${r.usage ? `, ${r.usage.cpuSeconds.toFixed(1)} s of processor time, ${r.usage.memoryMiB} MiB` : ""}; ${r.warnings.length} warnings, ${r.errors.length} errors`;

async function main(argv: string[]): Promise<void> {
  const stack = stackArgument(argv);
  const result = await previewStack(stack, ROOT, process.env).catch((error: Error): EngineResult => {
    if (error instanceof UsageError) throw error;
    // The comment reports it, and the author of the change reads that.
    return {
      stack,
      ok: false,
      against: "nothing",
      seconds: 0,
      operations: {},
      warnings: [],
      errors: [withoutSecrets(error.message, process.env)],
    };
  });
  writeResult("engine", result);
  console.log(`${stack}, against ${result.against}: ${figures(result)}`);
  if (!result.ok) {
    console.error(result.errors.join("\n"));
    process.exitCode = 1;
  }
}

if (require.main === module) runMain(USAGE, main);
