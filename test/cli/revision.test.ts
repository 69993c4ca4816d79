/** `npm run diff -- --against REVISION` as an operator runs it, in a clone of its own that has an earlier version. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { notAClone, sweep } from "../../cli/revision";

const ROOT = path.join(__dirname, "../..");
const CODE = ["cli", "components", "vendor", "index.ts", "package.json", "package-lock.json", "tsconfig.json"];
const FILES = [...CODE, "CHANGELOG.md", "Pulumi.yaml", "Pulumi.small.yaml"];
const IMAGES = "components/layers/synapse/images.ts";

describe("npm run diff --against REVISION", function () {
  this.timeout(300_000);
  let clone: string, tmp: string;
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: clone }).toString();
  const edit = (file: string, change: (text: string) => string): void => {
    const at = path.join(clone, file);
    fs.writeFileSync(at, change(fs.readFileSync(at, "utf8")));
  };
  const command = (...args: string[]): [string, string[], { cwd: string; env: NodeJS.ProcessEnv }] => [
    process.execPath,
    ["--import", "tsx", "cli/diff.ts", "--stack", "small", ...args],
    { cwd: clone, env: { ...process.env, TMPDIR: tmp } },
  ];
  const diff = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const [program, words, options] = command(...args);
    return spawnSync(program, words, { ...options, encoding: "utf8", maxBuffer: 1 << 26 });
  };
  const left = (): string[] => fs.readdirSync(tmp).filter((f) => f.startsWith("matrix-ha-diff-"));

  before(() => {
    clone = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-clone-"));
    tmp = path.join(clone, "tmp");
    fs.mkdirSync(tmp);
    for (const f of FILES) fs.cpSync(path.join(ROOT, f), path.join(clone, f), { recursive: true });
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(clone, "node_modules"));
    fs.writeFileSync(path.join(clone, ".gitignore"), "node_modules\ntmp\n");
    git("init", "--quiet");
    git("add", "--all");
    git("commit", "--quiet", "--message", "without the command");
    fs.renameSync(path.join(clone, "cli/evaluate.ts"), path.join(clone, "tmp/evaluate.ts"));
    git("commit", "--quiet", "--all", "--message", "before the command");
    git("tag", "v0");
    fs.renameSync(path.join(clone, "tmp/evaluate.ts"), path.join(clone, "cli/evaluate.ts"));
    git("add", "--all");
    edit(IMAGES, (text) => text.replace(/tag: "[\d.]+"/, 'tag: "1.162.0"'));
    edit("package.json", (text) => text.replace(/"version": "[^"]+"/, '"version": "0.0.9"'));
    // npm writes it there too, twice.
    edit("package-lock.json", (text) => text.replace(/"version": "[^"]+"/, '"version": "0.0.9"'));
    git("commit", "--quiet", "--all", "--message", "earlier");
    git("tag", "v0.0.9");
    edit(IMAGES, () => fs.readFileSync(path.join(ROOT, IMAGES), "utf8"));
    for (const file of ["package.json", "package-lock.json"])
      edit(file, () => fs.readFileSync(path.join(ROOT, file), "utf8"));
    edit("CHANGELOG.md", (text) =>
      text.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Operators must\n\n- look twice\n"),
    );
  });
  after(() => fs.rmSync(clone, { recursive: true, force: true }));

  it("says what the upgrade changes, from what to what, and leaves nothing behind", () => {
    const { status, stdout, stderr } = diff("--against", "v0.0.9", "--json");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Evaluating the code of 0\.0\.9 \(v0\.0\.9, [0-9a-f]{12}\) \.\.\.$/m);
    assert.doesNotMatch(stderr, /packages differ/);
    const { from, to, images, byHand, wayBack, restarts, changes } = JSON.parse(stdout);
    assert.match(from, /^0\.0\.9 \(v0\.0\.9, /);
    assert.equal(to, JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).version);
    assert.deepEqual(
      images.map((i: any) => [i.from, i.to]),
      [["1.162.0", "1.163.2"]],
    );
    assert.equal(byHand[0], "Unreleased: look twice");
    assert.match(wayBack[0], /^Synapse 1\.163\.2 back to 1\.162\.0: open/);
    assert.equal(restarts.find((r: any) => r.title === "StatefulSet matrix/synapse-main").seconds, 20);
    assert.ok(changes.length > 15);
    assert.deepEqual(left(), []);
    assert.equal(git("worktree", "list").trim().split("\n").length, 1, "no work tree is noted in the clone");
  });

  it("is removed by Ctrl-C with what it laid out, exit code 130", async () => {
    const [program, words, options] = command("--against", "v0.0.9");
    const child = spawn(program, words, { ...options, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    for (let i = 0; !left().length; i++) {
      assert.ok(i < 1200, "no folder came");
      await new Promise((r) => setTimeout(r, 50));
    }
    child.kill("SIGINT");
    assert.equal(await ended, 130);
    assert.deepEqual(left(), []);
  });

  it("explains with exit code 2 a revision that refuses the settings, is too old, or does not exist", () => {
    const stack = path.join(clone, "Pulumi.small.yaml"),
      right = fs.readFileSync(stack, "utf8");
    fs.writeFileSync(stack, `${right}\n  matrix-ha:nobodyKnows: 1\n`);
    const refused = diff("--against", "v0.0.9");
    fs.writeFileSync(stack, right);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /^the code of [0-9a-f]{12} does not accept the settings of this stack/m);
    assert.match(refused.stderr, /^ {2}nobodyKnows\n/m);
    assert.doesNotMatch(refused.stderr, /npm run diff -- --stack NAME/, "the command line was right");
    const old = diff("--against", "v0");
    assert.equal(old.status, 2);
    assert.match(old.stderr, /is from before this command/);
    const unknown = diff("--against", "v9");
    assert.equal(unknown.status, 2);
    assert.match(
      unknown.stderr,
      /^--against v9: there is no Pulumi\.v9\.yaml, and no git revision .*git fetch --tags/m,
    );
    assert.deepEqual(left(), []);
  });

  it("says outside of a clone that there are no revisions", () => {
    fs.renameSync(path.join(clone, ".git"), path.join(tmp, "git"));
    const { status, stderr } = diff("--against", "v0.0.9");
    fs.renameSync(path.join(tmp, "git"), path.join(clone, ".git"));
    assert.equal(status, 2);
    assert.match(stderr, /this folder is no git clone/);
  });

  it("says that git is missing", () =>
    assert.match(
      notAClone(() => {
        throw Object.assign(new Error("spawn git ENOENT"), { code: "ENOENT" });
      })!,
      /^git is not installed/,
    ));

  it("removes what a killed run left, and nothing of one that runs", () => {
    const dead = spawnSync(process.execPath, ["--eval", ""]).pid;
    const [gone, mine, other] = [`matrix-ha-diff-${dead}-a`, `matrix-ha-diff-${process.pid}-b`, "matrix-ha-diff-c"];
    for (const name of [gone, mine, other]) fs.mkdirSync(path.join(tmp, name));
    sweep(tmp);
    assert.deepEqual(left().sort(), [mine, other].sort());
    for (const name of left()) fs.rmdirSync(path.join(tmp, name));
  });
});
