/** The evaluation of a stack by the code of another revision, in a checkout and a process of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { UsageError } from "./arguments";
import type { Evaluation } from "./evaluate";

const ROOT = path.resolve(__dirname, "..");

const git = (...args: string[]): Buffer =>
  execFileSync("git", args, { cwd: ROOT, maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] });

/** The commit that a name stands for (a tag, a branch, a commit); undefined when the clone has none. */
export function commitOf(revision: string): string | undefined {
  // A name that begins with a dash would be an option.
  if (!/^[\w.^~@/][\w.^~@/{}+-]*$/.test(revision)) return undefined;
  try {
    return git("rev-parse", "--verify", "--quiet", `${revision}^{commit}`).toString().trim();
  } catch {
    return undefined;
  }
}

/** Puts the files of a commit into a folder, with the packages that its lock file names. */
function layOut(commit: string, dir: string): void {
  // Files only: a work tree would be noted in the clone.
  execFileSync("tar", ["-x", "-C", dir], { input: git("archive", commit), stdio: ["pipe", "inherit", "inherit"] });
  const lock = (root: string): string => fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
  if (lock(ROOT) === lock(dir)) fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: dir, stdio: ["ignore", "ignore", "inherit"] });
}

/** Run in the other checkout: settings on standard input, the evaluation into a file. */
const CHILD = `
const [checkout, file] = process.argv.slice(1);
const { evaluate } = require(checkout + "/cli/evaluate.ts");
evaluate(JSON.parse(require("node:fs").readFileSync(0, "utf8"))).then(
  (evaluation) => require("node:fs").writeFileSync(file, JSON.stringify(evaluation), { mode: 0o600 }),
  (error) => { console.error(error.message); process.exit(1); },
);`;

/**
 * Evaluates a stack with these settings by the code of a commit.
 *
 * @throws UsageError when that code refuses the settings, with its reasons
 */
export function evaluateAt(commit: string, stack: string, config: Record<string, unknown>): Evaluation {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-diff-"));
  try {
    const checkout = path.join(dir, "checkout"),
      file = path.join(dir, "evaluation.json");
    fs.mkdirSync(checkout);
    layOut(commit, checkout);
    const done = spawnSync(process.execPath, ["--import", "tsx", "--eval", CHILD, checkout, file], {
      cwd: checkout,
      input: JSON.stringify({ stack, config }),
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    if (done.status !== 0)
      throw new UsageError(
        `the code of ${commit.slice(0, 12)} does not accept the settings of this stack, so there is nothing to compare with. Settings that are new since then: give them by --set, and leave them out of the file until the upgrade.\n${done.stderr.trim()}`,
      );
    return JSON.parse(fs.readFileSync(file, "utf8")) as Evaluation;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
