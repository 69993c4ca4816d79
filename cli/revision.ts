/** The evaluation of a stack by the code of another revision, in a checkout and a process of its own. */
import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CannotCompare } from "./arguments";
import type { Evaluation } from "./evaluate";

const ROOT = path.resolve(__dirname, "..");
const PREFIX = "matrix-ha-diff-";

const git = (...args: string[]): Buffer =>
  execFileSync("git", args, { cwd: ROOT, maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] });

/** Why there are no revisions here; undefined in a clone. */
export function notAClone(run: (...args: string[]) => Buffer = git): string | undefined {
  try {
    run("rev-parse", "--git-dir");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "git is not installed: install it, and compare with a revision again"
      : "this folder is no git clone, so it has no revisions: clone the repository (an archive of one version has no other), copy your stack files into it, and run it there";
  }
}

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

/** The text of a file at a commit; empty where it had none of this name. */
export function fileAt(commit: string, file: string): string {
  try {
    return git("show", `${commit}:${file}`).toString();
  } catch {
    return "";
  }
}

/** `0.1.0 (v0.1.0, 1234567890ab)`: the version in package.json at a commit, and how the commit was named. */
export function named(revision: string, commit: string): string {
  const version = /"version": "([^"]+)"/.exec(fileAt(commit, "package.json"))?.[1] ?? "no version";
  const short = commit.slice(0, 12);
  return `${version} (${commit.startsWith(revision) ? "" : `${revision}, `}${short})`;
}

/** Runs a program to its end; it is stopped when `signal` is. */
async function ran(
  command: string,
  args: string[],
  options: { cwd: string; stdio: StdioOptions; input?: string | Buffer; signal: AbortSignal },
): Promise<{ status: number; stderr: string }> {
  const { input, signal, ...rest } = options;
  const child: ChildProcess = spawn(command, args, { ...rest, signal });
  let stderr = "";
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  // A program that ends before it has read its input is told apart by its exit code.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, stderr }));
  });
}

/** Puts the files of a commit into a folder, with the packages that its lock file names. */
async function layOut(commit: string, dir: string, signal: AbortSignal): Promise<void> {
  // Files only: a work tree would be noted in the clone.
  const unpacked = await ran("tar", ["-x", "-C", dir], {
    cwd: dir,
    stdio: ["pipe", "ignore", "pipe"],
    input: git("archive", commit),
    signal,
  });
  if (unpacked.status !== 0)
    throw new CannotCompare(`the files of ${commit} could not be laid out: ${unpacked.stderr}`);
  if (!fs.existsSync(path.join(dir, "cli/evaluate.ts")))
    throw new CannotCompare(`${commit.slice(0, 12)} is from before this command: its code cannot be evaluated`);
  // Without the project's own version, which each release changes.
  const lock = (root: string): string => {
    const { packages, ...rest } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8"));
    return JSON.stringify({ ...rest, version: "", packages: { ...packages, "": { ...packages[""], version: "" } } });
  };
  if (lock(ROOT) === lock(dir)) {
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    return;
  }
  console.error("Its packages differ from those here: npm ci ...");
  const installed = await ran("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: dir,
    // npm's own progress; standard output is the comparison's.
    stdio: ["ignore", 2, 2],
    signal,
  });
  if (installed.status !== 0)
    throw new CannotCompare(
      `the packages of ${commit.slice(0, 12)} could not be installed (npm ci, above): see that this machine reaches the npm registry`,
    );
}

/** Run in the other checkout: settings on standard input, the evaluation into a file. */
const CHILD = `
const [checkout, file] = process.argv.slice(1);
const { evaluate } = require(checkout + "/cli/evaluate.ts");
evaluate(JSON.parse(require("node:fs").readFileSync(0, "utf8"))).then(
  (evaluation) => require("node:fs").writeFileSync(file, JSON.stringify(evaluation), { mode: 0o600 }),
  (error) => { console.error(error.message); process.exit(1); },
);`;

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** Removes what earlier runs left that were killed: their folders have the number of their process in the name. */
export function sweep(tmp = os.tmpdir()): void {
  for (const name of fs.readdirSync(tmp)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || alive(Number(pid))) continue;
    // Another user's stays.
    try {
      fs.rmSync(path.join(tmp, name), { recursive: true, force: true });
    } catch {
      /* not ours */
    }
  }
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A temporary folder, which is removed however this ends: also by Ctrl-C, which stops what runs in it. */
async function withFolder<T>(act: (dir: string, signal: AbortSignal) => Promise<T>): Promise<T> {
  sweep();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`));
  const stop = new AbortController();
  const ended = (name: NodeJS.Signals): void => {
    stop.abort();
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    process.exit(SIGNALS[name as keyof typeof SIGNALS]);
  };
  for (const name of Object.keys(SIGNALS)) process.once(name, ended);
  try {
    return await act(dir, stop.signal);
  } finally {
    for (const name of Object.keys(SIGNALS)) process.removeListener(name, ended);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Evaluates a stack with these settings by the code of a commit.
 *
 * @throws CannotCompare when that code refuses the settings, with its reasons; or when it cannot be laid out
 */
export const evaluateAt = (commit: string, stack: string, config: Record<string, unknown>): Promise<Evaluation> =>
  withFolder(async (dir, signal) => {
    const checkout = path.join(dir, "checkout"),
      file = path.join(dir, "evaluation.json");
    fs.mkdirSync(checkout);
    await layOut(commit, checkout, signal);
    const { status, stderr } = await ran(process.execPath, ["--import", "tsx", "--eval", CHILD, checkout, file], {
      cwd: checkout,
      stdio: ["pipe", "ignore", "pipe"],
      input: JSON.stringify({ stack, config }),
      signal,
    });
    if (status !== 0)
      throw new CannotCompare(
        `the code of ${commit.slice(0, 12)} does not accept the settings of this stack, so there is nothing to compare with. Settings that are new since then: give them by --set, and leave them out of the file until the upgrade.\n${stderr.trim()}`,
      );
    return JSON.parse(fs.readFileSync(file, "utf8")) as Evaluation;
  });
