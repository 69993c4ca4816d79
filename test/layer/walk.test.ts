/**
 * The walk through a new layer in CONTRIBUTING.md, followed to the letter in a copy of the repository: its files, its
 * entry in the registry, its commands. Nothing else of the copy is touched, so the layer costs what the text says.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const walk = fs.readFileSync(path.join(ROOT, "CONTRIBUTING.md"), "utf8").split("### A new layer, step by step")[1]!;

/** The blocks that are headed by a path, in their order. */
const blocks = [...walk.matchAll(/^`(components\/[^`]+)`\n```(ts|diff)\n(.*?)^```$/gms)].map(
  ([, file, kind, text]) => ({
    file: file!,
    kind: kind as "ts" | "diff",
    text: text!,
  }),
);

describe("a new layer, as CONTRIBUTING.md says", () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "layer-"));
  after(() => fs.rmSync(copy, { recursive: true, force: true }));

  const run = (command: string, ...args: string[]): string => {
    const r = spawnSync(command, args, { cwd: copy, encoding: "utf8", maxBuffer: 64 << 20 });
    assert.equal(r.status, 0, `${command} ${args.join(" ")}\n${r.stdout}\n${r.stderr}`);
    return r.stdout;
  };
  const npm = (script: string, ...args: string[]): string => run("npm", "run", "--silent", script, "--", ...args);

  before(() => {
    const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    for (const file of files.split("\0").filter((f) => f && fs.existsSync(path.join(ROOT, f)))) {
      fs.mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
      fs.copyFileSync(path.join(ROOT, file), path.join(copy, file));
    }
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"));
    run("git", "init", "--quiet");
    run("git", "add", "--all");
  });

  it("is one folder and one entry in the registry", () => {
    for (const { file, kind, text } of blocks) {
      const at = path.join(copy, file);
      if (kind === "ts") {
        assert.ok(!fs.existsSync(at), `${file} exists already`);
        fs.mkdirSync(path.dirname(at), { recursive: true });
        fs.writeFileSync(at, text);
        continue;
      }
      const [imported, entry] = text.split("\n").map((line) => line.slice(1));
      const registry = fs.readFileSync(at, "utf8");
      fs.writeFileSync(
        at,
        registry.replace(/^import \{ cluster \}/m, `${imported}\n$&`).replace(/^ {2}web,\n/m, `$&${entry}\n`),
      );
    }
    const folders = new Set(blocks.map((b) => path.dirname(b.file)));
    assert.deepEqual([...folders], ["components/layers/bot", "components/layers"]);
  });

  it("passes the type check, the linter and the formatter", () => {
    npm("check");
  });

  it("is off by default: a stack renders as before", () => {
    npm("render", "--stack", "small", "--out", path.join(copy, "out/without"));
    assert.ok(!fs.existsSync(path.join(copy, "out/without/bot")));
  });

  it("is in the plan, the manifests, the images and the network policies where it is on", () => {
    assert.match(npm("plan", "--ccu", "1000", "--set", "bot.enabled=true"), /Bot: pod +0 s +design +none/);
    const out = path.join(copy, "out/with");
    npm("render", "--stack", "small", "--set", "bot.enabled=true", "--out", out);
    assert.match(fs.readFileSync(path.join(out, "images.txt"), "utf8"), /^ghcr\.io\/example\/greeter:1\.4\.0$/m);
    const files = fs.readdirSync(out, { recursive: true, encoding: "utf8" });
    assert.ok(
      files.some((f) => /^bot\/.*deployment.*\.yaml$/i.test(f)),
      files.filter((f) => f.startsWith("bot")).join(),
    );
    assert.ok(files.some((f) => /networkpolicy.*allow-bot\.yaml$/i.test(f)));
    assert.ok(files.some((f) => /prometheusrule.*bot/i.test(f)));
  });

  it("keeps every rule, also where only `everything` switches it on", () => {
    npm("policy", "--stack", "small", "--set", "bot.enabled=true");
    run("npx", "mocha", "test/rules/rules.test.ts", "test/rules/secrets.test.ts", "--timeout", "300000");
  });

  it("is in the reference of settings, the runbook and the list of pods once they are generated", () => {
    npm("generate");
    const changed = run("git", "diff", "--name-only").trim().split("\n").sort();
    assert.deepEqual(changed, ["components/layers/registry.ts", "docs/runbook.md", "docs/settings.md"]);
    assert.match(fs.readFileSync(path.join(copy, "docs/settings.md"), "utf8"), /`bot\.memoryMiB`/);
    assert.match(fs.readFileSync(path.join(copy, "docs/runbook.md"), "utf8"), /^### BotDown$/m);
    run("npx", "mocha", "test/docs/**/*.test.ts", "test/settings/settings.test.ts", "--timeout", "300000");
  });
});
