/**
 * The engine's input in a runner: the checkout, its stack's settings without secrets, and no access to anything.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { readStackConfig } from "../../components/settings/stackFile";
import { baseCommit } from "../../scripts/preview/base";
import { hasBackend, stackReference, teamEnvironment, throwAwayEnvironment } from "../../scripts/preview/environment";
import { linkProject } from "../../lab/engine/project";
import { withPlaceholders, writePlaceholders } from "../../scripts/preview/project";

const ROOT = path.join(__dirname, "../..");
const CIPHERTEXT = "AAABAO2a5Q==";
const ENCRYPTED = `secretsprovider: awskms://alias/example
encryptedkey: ${CIPHERTEXT}
encryptionsalt: v1:${CIPHERTEXT}
config:
  # a comment stays
  matrix-ha:ccu: 100
  matrix-ha:cluster:
    kubeconfig: { secure: ${CIPHERTEXT} }
    context: admin
  matrix-ha:hosts:
    - { name: a, ssh: { privateKey: { secure: ${CIPHERTEXT} } } }
  other:token:
    secure: ${CIPHERTEXT}
`;

describe("the project that is previewed", () => {
  let dir: string;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "preview-project-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  it("has a placeholder for every encrypted value, at any depth, and nothing of how they were encrypted", () => {
    const text = withPlaceholders(ENCRYPTED);
    assert.ok(!text.includes(CIPHERTEXT));
    assert.deepEqual(parse(text), {
      config: {
        "matrix-ha:ccu": 100,
        "matrix-ha:cluster": { kubeconfig: "[encrypted by pulumi]", context: "admin" },
        "matrix-ha:hosts": [{ name: "a", ssh: { privateKey: "[encrypted by pulumi]" } }],
        "other:token": "[encrypted by pulumi]",
      },
    });
  });

  it("has the settings that every other tool reads from the same file", () => {
    fs.writeFileSync(path.join(dir, "Pulumi.x.yaml"), ENCRYPTED);
    const { "other:token": _, ...ours } = parse(withPlaceholders(ENCRYPTED)).config;
    assert.deepEqual(
      ours,
      Object.fromEntries(Object.entries(readStackConfig("x", dir)).map(([k, v]) => [`matrix-ha:${k}`, v])),
    );
  });

  it("reports a file that is not valid YAML", () =>
    assert.throws(() => withPlaceholders("config: [1"), /the stack's file is not valid YAML/));

  it("is the checkout by links; what the engine writes stays in its own folder, under the salt of its own backend", () => {
    const before = fs.readFileSync(path.join(ROOT, "Pulumi.small.yaml"), "utf8");
    linkProject(ROOT, dir, "small");
    for (const name of ["Pulumi.yaml", "index.ts", "components", "node_modules", "package.json"])
      assert.equal(fs.realpathSync(path.join(dir, name)), fs.realpathSync(path.join(ROOT, name)));
    for (const name of [".git", "Pulumi.small.yaml"]) assert.ok(!fs.existsSync(path.join(dir, name)), name);
    fs.writeFileSync(path.join(dir, "Pulumi.small.yaml"), "encryptionsalt: v1:abc:v1:def\nconfig: {}\n");
    writePlaceholders(ROOT, dir, "small");
    const written = parse(fs.readFileSync(path.join(dir, "Pulumi.small.yaml"), "utf8"));
    assert.equal(written.encryptionsalt, "v1:abc:v1:def");
    assert.deepEqual(written.config, parse(before).config);
    assert.equal(fs.readFileSync(path.join(ROOT, "Pulumi.small.yaml"), "utf8"), before);
  });
});

describe("the environment of the engine", () => {
  const RUNNER = {
    PATH: "/bin",
    HOME: "/home/runner",
    PULUMI_HOME: "/opt/pulumi",
    KUBECONFIG: "/etc/kube",
    KUBERNETES_SERVICE_HOST: "10.0.0.1",
    SSH_AUTH_SOCK: "/agent",
    PULUMI_ACCESS_TOKEN: "",
    PULUMI_BACKEND_URL: "",
    PULUMI_CONFIG_PASSPHRASE: "",
  };

  it("without access to a backend uses a temporary one, without access to a cluster or a machine", () => {
    assert.equal(hasBackend(RUNNER), false, "a secret that is not configured comes as an empty text");
    const env = throwAwayEnvironment(RUNNER, { state: "/tmp/s", nowhere: "/tmp/n" }, "p");
    assert.equal(env.PULUMI_BACKEND_URL, "file:///tmp/s");
    assert.equal(env.KUBECONFIG, "/tmp/n");
    for (const name of ["KUBERNETES_SERVICE_HOST", "SSH_AUTH_SOCK", "PULUMI_ACCESS_TOKEN"])
      assert.ok(!(name in env), name);
    assert.equal(env.PULUMI_HOME, "/opt/pulumi");
  });

  it("with access is the team's, without the empty values", () => {
    const team = { ...RUNNER, PULUMI_ACCESS_TOKEN: "pul-1" };
    assert.equal(hasBackend(team), true);
    const env = teamEnvironment(team);
    assert.equal(env.PULUMI_ACCESS_TOKEN, "pul-1");
    assert.ok(!("PULUMI_BACKEND_URL" in env) && !("PULUMI_CONFIG_PASSPHRASE" in env));
    assert.equal(stackReference("small", { PULUMI_ORGANIZATION: "acme" }), "acme/small");
    assert.equal(stackReference("small", { PULUMI_ORGANIZATION: "" }), "small");
  });
});

describe("the list of stacks", () => {
  it("is made of the files that are there", () => {
    const done = spawnSync(path.join(ROOT, "scripts/preview/stacks.sh"), {
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    });
    const names = JSON.parse(done.stdout.replace("stacks: ", ""));
    assert.deepEqual(
      [...names].sort(),
      fs
        .readdirSync(ROOT)
        .flatMap((f) => /^Pulumi\.(.+)\.yaml$/.exec(f)?.[1] ?? [])
        .sort(),
    );
  });
  for (const [what, files, message] of [
    ["a name that would end a path", ["Pulumi.a b.yaml"], /"a b" is not a valid stack name/],
    ["none", ["Pulumi.yaml"], /no stack to preview/],
  ] as const) {
    it(`${what} is refused`, () => {
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), "preview-stacks-"));
      fs.mkdirSync(path.join(dir, "scripts/preview"), { recursive: true });
      fs.copyFileSync(path.join(ROOT, "scripts/preview/stacks.sh"), path.join(dir, "scripts/preview/stacks.sh"));
      for (const f of files) fs.writeFileSync(path.join(dir, f), "");
      const done = spawnSync("bash", [path.join(dir, "scripts/preview/stacks.sh")], { encoding: "utf8" });
      fs.rmSync(dir, { recursive: true });
      assert.equal(done.status, 1);
      assert.match(done.stderr, message);
    });
  }
});

describe("what a pull request is compared with", () => {
  let dir: string;
  const git = (...args: string[]): string =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", ...args],
      { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    ).trim();
  const commit = (name: string): string => {
    git("commit", "--quiet", "--allow-empty", "-m", name);
    return git("rev-parse", "HEAD");
  };
  let first: string, second: string, head: string;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "preview-base-"));
    git("init", "--quiet");
    first = commit("first");
    git("checkout", "--quiet", "-b", "change");
    head = commit("head");
    git("checkout", "--quiet", "main");
    second = commit("second");
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  it("in a workflow: the base of the checked out merge, even if the event has an older base", () => {
    git("checkout", "--quiet", "--detach", "main");
    git("merge", "--quiet", "--no-ff", "--no-edit", "change");
    assert.equal(baseCommit(dir, { base: { sha: first }, head: { sha: head } }), second);
  });
  it("elsewhere: the commit at which the branch left", () => {
    git("checkout", "--quiet", "change");
    assert.equal(baseCommit(dir, undefined), first);
    assert.equal(baseCommit(dir, undefined, second), first);
    assert.equal(baseCommit(dir, { base: { sha: second }, head: { sha: head } }), first);
  });
  it("a commit that is not there is told, with what to do", () =>
    assert.throws(() => baseCommit(dir, undefined, "nowhere"), /no commit nowhere in this clone.*fetch-depth: 2/s));
});
