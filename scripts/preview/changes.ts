/**
 * A step of the workflow: `changes.ts STACK` compares the base's program with the pull request's, each evaluated in its
 * own checkout.
 */
import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runMain, UsageError } from "../../cli/arguments";
import { compare } from "../../cli/diff";
import type { Evaluation } from "../../cli/evaluate";
import { stackNames } from "../../components/settings/stackFile";
import { laidOut } from "./base";
import { stackArgument } from "./engine";
import { withoutSecrets } from "./hide";
import { BASE, readResult, ROOT, writeResult, type ChangesResult } from "./results";

const USAGE = `npx tsx scripts/preview/changes.ts STACK
  Shows what the pull request changes in a stack, without its state: evaluates and compares both programs (after base.ts).`;

type Side = { evaluation: Evaluation } | { problem: string };

/** The evaluation of a stack by a checkout. */
function evaluated(checkout: string, stack: string, key: string, file: string): Side {
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", path.join(__dirname, "evaluation.ts"), checkout, stack, file],
    {
      // From here: tsx is this checkout's.
      cwd: ROOT,
      env: { ...process.env, PREVIEW_KEY: key },
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  return status === 0
    ? { evaluation: JSON.parse(fs.readFileSync(file, "utf8")) }
    : { problem: withoutSecrets(stderr, process.env).trim() || `the evaluation ended with ${status}` };
}

function compareWithBase(stack: string, base: string): ChangesResult {
  if (!stackNames(BASE).includes(stack))
    return {
      stack,
      base,
      problem: `The base has no Pulumi.${stack}.yaml: the stack is new, and all of it would be created.`,
    };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-changes-"));
  const key = crypto.randomBytes(32).toString("hex");
  try {
    const after = evaluated(ROOT, stack, key, path.join(dir, "after.json"));
    if ("problem" in after) return { stack, base, problem: after.problem, failed: true };
    const before = evaluated(BASE, stack, key, path.join(dir, "before.json"));
    if ("problem" in before)
      return {
        stack,
        base,
        problem: `The base itself does not evaluate, so there is nothing to compare with:\n${before.problem}`,
      };
    return { stack, base, changes: compare(before.evaluation, after.evaluation) };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function main(argv: string[]): Promise<void> {
  const stack = stackArgument(argv);
  if (readResult("engine", stack)?.changes) {
    console.log(`${stack} was previewed against what is deployed: nothing is left to compare`);
    return;
  }
  const base = laidOut();
  if (!base) throw new UsageError("there is no base to compare with: run scripts/preview/base.ts first");
  const result = compareWithBase(stack, base);
  writeResult("changes", result);
  console.log(
    result.problem ??
      `${stack}: ${result.changes!.length} resources change, ${result.changes!.filter((c) => c.restarts).length} workloads restart`,
  );
  if (result.failed) process.exitCode = 1;
}

if (require.main === module) runMain(USAGE, main);
