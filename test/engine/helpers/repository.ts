/**
 * A repository as on GitHub: this checkout on `main`, and a pull request with the merge commit that a runner checks
 * out.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../../../lab/common/folders";

export class Origin {
  readonly dir: string;
  private tree: string;
  constructor(dir: string) {
    this.dir = path.join(dir, "origin");
    this.tree = this.dir;
    fs.mkdirSync(this.dir, { recursive: true });
    // Uncommitted changes are tested too.
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    }).split("\0");
    for (const file of files.filter((f) => f && fs.existsSync(path.join(ROOT, f))))
      fs.cpSync(path.join(ROOT, file), path.join(this.dir, file), { recursive: true });
    this.git("init", "--quiet", "--initial-branch=main");
  }

  git(...args: string[]): string {
    return execFileSync(
      "git",
      ["-c", "user.name=someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false", ...args],
      { cwd: this.tree, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 },
    ).trim();
  }
  file(name: string): string {
    return path.join(this.tree, name);
  }
  edit(name: string, change: (text: string) => string): void {
    fs.writeFileSync(this.file(name), change(fs.readFileSync(this.file(name), "utf8")));
  }
  commit(message: string): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", message);
    return this.git("rev-parse", "HEAD");
  }

  /** The pull request's head as edited by `change`, from main or from the head before; and its merge into main. */
  push(message: string, change: () => void): { head: string; base: string } {
    const base = this.git("rev-parse", "main");
    this.git("checkout", "--quiet", "-B", "change", this.git("branch", "--list", "change") ? "change" : "main");
    change();
    const head = this.commit(message);
    this.git("checkout", "--quiet", "--detach", base);
    this.git("merge", "--quiet", "--no-ff", "--no-edit", head);
    this.git("update-ref", "refs/pull/7/merge", "HEAD");
    return { head, base };
  }

  /** As actions/checkout fetches it: so many commits, and no more. */
  checkout(workspace: string, depth: number): void {
    const git = (...args: string[]): void => {
      execFileSync("git", args, { cwd: workspace, stdio: ["ignore", "ignore", "pipe"] });
    };
    git("init", "--quiet");
    git("fetch", "--quiet", `--depth=${depth}`, `file://${this.dir}`, "+refs/pull/7/merge:refs/remotes/pull/7/merge");
    git("checkout", "--quiet", "--detach", "refs/remotes/pull/7/merge");
  }
}
