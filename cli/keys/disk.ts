/** Keys may only be written to a new file, readable by its owner alone, outside of any repository. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { Refused } from "../arguments";

/** The folder with `.git` that a folder is in, if any. A worktree and a submodule have a file of that name. */
function workTreeOf(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".git"))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

const ignoredByGit = (tree: string, file: string): boolean =>
  spawnSync("git", ["-C", tree, "check-ignore", "--quiet", "--", file], { stdio: "ignore" }).status === 0;

/**
 * Writes the file, readable by its owner alone. Refuses to overwrite, and any place that `git add` would take it from.
 */
export function writeKeys(file: string, text: string): void {
  const folder = path.dirname(path.resolve(file));
  if (!fs.existsSync(folder)) throw new Refused(`--out ${file}: the folder ${folder} does not exist.`);
  // Resolve links: one may lead into a repository, or out of one.
  const real = path.join(fs.realpathSync(folder), path.basename(file));
  const tree = workTreeOf(path.dirname(real));
  if (tree && !ignoredByGit(tree, real)) {
    throw new Refused(
      `--out ${file}: it would be in the git work tree ${tree} and is not ignored, so a commit could publish the keys. Give a path outside, for example on an encrypted medium.`,
    );
  }
  let handle: number;
  try {
    handle = fs.openSync(real, "wx", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refused(
      code === "EEXIST"
        ? `--out ${file}: it exists, and keys are never overwritten. Give a new name.`
        : `--out ${file}: it cannot be written (${code}).`,
    );
  }
  fs.writeFileSync(handle, text);
  fs.fsyncSync(handle);
  fs.closeSync(handle);
}

/**
 * A file, or standard input for `-`. Standard input may be a non-blocking pipe, on which reading the whole file at once
 * fails (EAGAIN).
 */
export async function readText(file: string): Promise<string> {
  try {
    return file === "-" ? await text(process.stdin) : fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new Refused(`${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** A warning when others may read the file; undefined when only its owner may. */
export function othersMayRead(file: string): string | undefined {
  const mode = fs.statSync(file).mode & 0o077;
  return mode === 0 ? undefined : `Others may read ${file}: chmod 600 ${file}`;
}
