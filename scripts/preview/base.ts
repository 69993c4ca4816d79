/**
 * A step of the workflow: puts the files of the pull request's base beside the checkout, with their packages.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseWords, runMain, UsageError } from "../../cli/arguments";
import { BASE, ROOT } from "./results";

const USAGE = `npx tsx scripts/preview/base.ts [BRANCH]
  Writes the base of the pull request into a folder beside the checkout. Without a pull request: the commit at which this
  branch left BRANCH (default: origin/main, else main).`;

const COMMIT_FILE = ".preview-base";

export interface PullRequest {
  base: { sha: string };
  head: { sha: string };
}
/** The pull request of the event that started the workflow. */
function pullRequest(): PullRequest | undefined {
  const file = process.env.GITHUB_EVENT_PATH;
  return file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).pull_request : undefined;
}

/**
 * The commit with which the head of a clone is compared. A workflow checks out the merge of the pull request into its
 * base: the merge's first parent is exactly that base, while the event's base may be older.
 */
export function baseCommit(clone: string, pr: PullRequest | undefined, given?: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: clone, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const known = (ref: string): boolean => {
    try {
      git("rev-parse", "--verify", "--quiet", `${ref}^{commit}`);
      return true;
    } catch {
      return false;
    }
  };
  const parents = git("rev-list", "--parents", "-n", "1", "HEAD").split(" ").slice(1);
  if (pr && parents.length === 2 && parents[1] === pr.head.sha) return parents[0]!;
  const branch = given ?? pr?.base.sha ?? ["origin/main", "main"].find(known);
  if (!branch || !known(branch))
    throw new UsageError(
      `there is no commit ${branch ?? "origin/main nor main"} in this clone to compare with: give an existing branch, or fetch it (in a workflow: actions/checkout with fetch-depth: 2)`,
    );
  try {
    return git("merge-base", branch, "HEAD");
  } catch {
    throw new UsageError(
      `${branch} and HEAD have no common commit in this clone: fetch their history (git fetch --unshallow)`,
    );
  }
}

/** With the same lock file, the packages of this checkout can be used. */
function providePackages(): void {
  const lock = (dir: string): string => fs.readFileSync(path.join(dir, "package-lock.json"), "utf8");
  if (lock(ROOT) === lock(BASE)) fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(BASE, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: BASE, stdio: ["ignore", "inherit", "inherit"] });
}

/** The commit of the files in BASE. */
export const laidOut = (): string | undefined =>
  fs.existsSync(path.join(BASE, COMMIT_FILE))
    ? fs.readFileSync(path.join(BASE, COMMIT_FILE), "utf8").trim()
    : undefined;

async function main(argv: string[]): Promise<void> {
  const [branch, ...more] = parseWords(argv, {}).words;
  if (more.length) throw new UsageError(`give one branch, or none, not "${[branch, ...more].join(" ")}"`);
  const commit = baseCommit(ROOT, pullRequest(), branch);
  fs.rmSync(BASE, { recursive: true, force: true });
  fs.mkdirSync(BASE, { recursive: true, mode: 0o700 });
  // Files only: a work tree would be noted in the clone, and stay there.
  execFileSync("tar", ["-x", "-C", BASE], {
    input: execFileSync("git", ["archive", commit], { cwd: ROOT, maxBuffer: 1 << 30 }),
    stdio: ["pipe", "inherit", "inherit"],
  });
  providePackages();
  fs.writeFileSync(path.join(BASE, COMMIT_FILE), `${commit}\n`);
  console.log(`base: ${commit} in ${BASE}`);
}

if (require.main === module) runMain(USAGE, main);
