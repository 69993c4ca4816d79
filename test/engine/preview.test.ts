/**
 * Runs the preview's workflow unchanged: a pull request on a repository made of this checkout, each `run:` step
 * in the runner's order and environment, with the real engine and without a cluster; a fake GitHub API answers on the
 * loopback.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { engineEnvironment } from "../../lab/engine/home";
import { findParts, provideParts } from "../../lab/engine/parts";
import { MARKER } from "../../scripts/preview/render";
import type { EngineResult } from "../../scripts/preview/results";
import { FakeGitHub, REPOSITORY, TOKEN } from "../preview/helpers/github";
import { measured } from "../../lab/proof/measured";
import { deployed } from "./helpers/deployed";
import { Origin } from "./helpers/repository";
import { Runner, type Action, type Ended, type RunnerOptions } from "./helpers/runner";

const STACKS = ["small", "large", "local"];
const CIPHERTEXT = "v1:pYq1Vb2zr0l3TqUo:9l2mH1sQkq6u1xYq5v0w7B4=";
/**
 * The goal is a minute for the large stack on a hosted runner, of whose four cores a preview keeps two busy. It waits
 * for nothing else, so the time on the processors is what is held to it; the clock's is longer the more else runs on
 * this machine.
 */
const MOST_CPU_SECONDS = 100;

/** The engine's parts as the lab has them; where nothing must be built, without waiting for another that builds. */
function engine(home: string): NodeJS.ProcessEnv {
  const found = findParts();
  return engineEnvironment(
    home,
    Object.values(found).every((p) => p.origin === "stand-in" || fs.existsSync(p.file!)) ? found : provideParts(),
  );
}

describe("the preview's workflow, run", function () {
  // Minutes on a machine of its own; others may use this one.
  this.timeout(5_400_000);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "preview-workflow-"));
  const github = new FakeGitHub(),
    artifacts = path.join(dir, "artifacts");
  let api: string, origin: Origin, runner: Runner, first: Ended[], commits: { head: string; base: string };

  const pulumi = engine(path.join(dir, "pulumi"));
  const ACTIONS: Record<string, Action> = {
    "actions/checkout": {
      reason: "fetches from GitHub; here from the repository of this test, as many commits",
      run: (job, inputs) => origin.checkout(job.workspace, Number(inputs["fetch-depth"] ?? 1)),
    },
    "actions/setup-node": { reason: "downloads Node; here it is the one that runs this test", run: () => undefined },
    "pulumi/actions": {
      reason: "downloads the CLI; here it is the lab's, in a home of its own",
      run: (job) => {
        const { PATH, ...env } = pulumi;
        job.path.push(PATH!.split(path.delimiter)[0]!);
        Object.assign(job.env, env);
      },
    },
    "actions/upload-artifact": {
      reason: "stores at GitHub; here in a folder",
      run: (_, inputs) => {
        if (fs.existsSync(inputs.path)) fs.cpSync(inputs.path, path.join(artifacts, inputs.name), { recursive: true });
      },
    },
    "actions/download-artifact": {
      reason: "reads from GitHub; here from that folder",
      run: (_, inputs) => {
        const begins = inputs.pattern.replace(/\*$/, "");
        for (const name of fs.existsSync(artifacts) ? fs.readdirSync(artifacts) : [])
          if (name.startsWith(begins)) fs.cpSync(path.join(artifacts, name), inputs.path, { recursive: true });
      },
    },
  };

  /** What GitHub does when someone pushes to the pull request; `environments` are those that the repository has. */
  function pushed(message: string, change: () => void, environments: RunnerOptions["environments"] = {}): void {
    commits = origin.push(message, change);
    fs.rmSync(artifacts, { recursive: true, force: true });
    const event = {
      number: 7,
      pull_request: {
        number: 7,
        head: { sha: commits.head, repo: { full_name: REPOSITORY } },
        base: { sha: commits.base },
      },
    };
    const file = path.join(dir, "event.json");
    fs.writeFileSync(file, JSON.stringify(event));
    runner = new Runner({
      workflow: fs.readFileSync(origin.file(".github/workflows/preview.yml"), "utf8"),
      dir: fs.mkdtempSync(path.join(dir, "run-")),
      actions: ACTIONS,
      contexts: {
        github: { token: TOKEN, event, repository: REPOSITORY },
        vars: Object.keys(environments).length ? { PULUMI_PREVIEW: "true" } : {},
        secrets: {},
      },
      environments,
      env: {
        GITHUB_API_URL: api,
        GITHUB_EVENT_PATH: file,
        GITHUB_REPOSITORY: REPOSITORY,
        GITHUB_SERVER_URL: "https://github.example",
        GITHUB_RUN_ID: "1",
        GITHUB_EVENT_NAME: "pull_request",
      },
    });
  }
  const whole = (jobs: Ended[]): string => jobs.map((j) => `${j.name}:\n${j.log.slice(-3000)}`).join("\n\n");
  const resultOf = (job: Ended, stack: string): EngineResult =>
    JSON.parse(fs.readFileSync(path.join(job.temp, "preview", stack, "engine.json"), "utf8"));
  const jobOf = (stack: string): Ended => first.find((j) => j.name === `preview-${stack}`)!;
  const body = (): string => github.comments[0]!.body!;

  before(async () => {
    api = await github.start();
    origin = new Origin(dir);
    // A stack as a team has it: its secrets are encrypted with a key that no runner has.
    origin.edit(
      "Pulumi.small.yaml",
      (text) =>
        `encryptionsalt: v1:8vJ0p3:${CIPHERTEXT}\n${text}\n  matrix-ha:cluster: { kubeconfig: { secure: "${CIPHERTEXT}" } }\n`,
    );
    origin.edit("Pulumi.large.yaml", (text) =>
      text.replace(/^( {2}matrix-ha:ssh:)$/m, `$1\n    privateKey: { secure: "${CIPHERTEXT}" }`),
    );
    origin.commit("base");
    pushed("Messages are kept for 90 days", () => {
      for (const stack of STACKS)
        origin.edit(
          `Pulumi.${stack}.yaml`,
          (text) => `${text.trimEnd()}\n  matrix-ha:retention: { maxLifetimeDays: 90 }\n`,
        );
    });
    first = await runner.run();
  });
  after(async () => {
    await github.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it("every job succeeds", () => {
    assert.deepEqual(
      first.map((j) => j.name).sort(),
      ["comment", ...STACKS.map((s) => `preview-${s}`), "stacks"].sort(),
    );
    assert.deepEqual(
      first.filter((j) => !j.ok).map((j) => j.name),
      [],
      whole(first.filter((j) => !j.ok)),
    );
  });

  for (const stack of STACKS) {
    it(`${stack}: the engine takes the program with neither error nor warning, and in time`, () => {
      const r = resultOf(jobOf(stack), stack);
      measured(
        `${Object.values(r.operations).reduce((a, n) => a + n, 0)} resources in ${r.seconds.toFixed(0)} s, ${r.usage!.cpuSeconds.toFixed(0)} s of them on a processor; ${r.usage!.memoryMiB} MiB; ${r.warnings.length} warnings, ${r.errors.length} errors; load ${os.loadavg()[1]!.toFixed(0)} on ${os.cpus().length} cores`,
      );
      assert.deepEqual([r.ok, r.errors, r.warnings, r.against], [true, [], [], "nothing"]);
      assert.deepEqual(Object.keys(r.operations), ["create"], "the throw-away backend knows nothing");
      assert.ok(r.operations.create! > 300, `${r.operations.create} resources`);
      assert.ok(r.usage!.cpuSeconds < MOST_CPU_SECONDS, `${r.usage!.cpuSeconds} s of processor time`);
    });
    it(`${stack}: the comment says what restarts, and why`, () => {
      assert.match(
        body(),
        new RegExp(
          `^\\| \`${stack}\` \\| 0 \\| \\d+ \\| \\*\\*2\\*\\* \\| 0 \\| \\d+ \\| 0 \\| 0 \\| \\d+ resources`,
          "m",
        ),
      );
      const section = body()
        .slice(body().indexOf(`### ${stack}\n`))
        .split("\n### ")[0]!;
      assert.match(section, /\*\*\d+ workloads restart\*\*, one pod at a time/);
      assert.match(
        section,
        /StatefulSet .*`matrix\/synapse-main`.*its configuration changed \(ConfigMap synapse-shared-/,
      );
      assert.doesNotMatch(section, /haproxy|postgres|CAUTION/, "nothing else does");
    });
  }

  it("the comment is one, of this run, on what the pull request would be merged into", () => {
    assert.equal(github.comments.length, 1);
    assert.ok(body().startsWith(MARKER));
    for (const word of [commits.head.slice(0, 12), commits.base.slice(0, 12), "/actions/runs/1", "max_lifetime: 90d"])
      assert.ok(body().includes(word), word);
  });

  it("the checkout is unchanged, and no output of the jobs contains a secret, encrypted or not", () => {
    for (const job of first.filter((j) => j.id === "preview")) {
      assert.deepEqual(
        fs
          .readdirSync(job.workspace)
          .filter((f) => f.endsWith(".yaml"))
          .map((f) => [
            f,
            fs.readFileSync(path.join(job.workspace, f), "utf8") === fs.readFileSync(origin.file(f), "utf8"),
          ])
          .filter(([, same]) => !same),
        [],
      );
      for (const file of ["engine.json", "changes.json"])
        assert.ok(
          !fs
            .readFileSync(path.join(job.temp, "preview", job.name.replace("preview-", ""), file), "utf8")
            .includes(CIPHERTEXT),
        );
    }
    for (const text of [body(), ...first.flatMap((j) => [j.log, j.summary])])
      for (const secret of [CIPHERTEXT, TOKEN, "PRIVATE KEY-----"]) assert.ok(!text.includes(secret), secret);
  });

  it("from a fork, whose token may not write: no comment, and the run succeeds with the preview in its summary", async () => {
    github.readOnly = true;
    const before = github.requests.length;
    const [job] = await runner.run("comment");
    github.readOnly = false;
    assert.ok(job!.ok, job!.log.slice(-3000));
    assert.match(job!.log, /the token may not write one/);
    assert.match(job!.summary, /workloads restart/);
    assert.ok(github.requests.length > before, "it was tried");
  });

  it("with the team's backend in an environment: the engine's answer against the deployed state, with replacements in red", async () => {
    const team = await deployed(dir, jobOf("local").workspace, { ...process.env, ...pulumi });
    const access = {
      vars: { PULUMI_BACKEND_URL: team.backend },
      secrets: { PULUMI_CONFIG_PASSPHRASE: team.passphrase },
    };
    pushed(
      "Encrypted by a passphrase",
      () => {
        fs.rmSync(origin.file("Pulumi.large.yaml"));
        origin.edit("Pulumi.local.yaml", (text) => `${team.salt}${text}`);
      },
      { local: access, small: access },
    );
    const jobs = await runner.run();
    assert.deepEqual(
      jobs.filter((j) => !j.ok).map((j) => j.name),
      [],
      whole(jobs),
    );
    const r = resultOf(
      jobs.find((j) => j.name === "preview-local")!,
      "local",
    );
    assert.deepEqual([r.against, r.warnings], ["state", []]);
    assert.equal(r.operations.replace, 1);
    assert.ok(r.operations.same! >= 2, "what is deployed as it should be stays");
    const [local, small] = ["local", "small"].map(
      (s) =>
        body()
          .slice(body().indexOf(`### ${s}\n`))
          .split("\n### ")[0]!,
    );
    assert.match(
      local!,
      new RegExp(
        `> \\[!CAUTION\\]\n> \\*\\*REPLACED: 1 resource is deleted and created again.*RandomPassword \`${team.changed}\``,
      ),
    );
    assert.match(small!, /The backend has no stack `small`: it was never deployed/);
    for (const text of [body(), ...jobs.flatMap((j) => [j.log, j.summary])]) assert.ok(!text.includes(team.passphrase));
  });

  it("a mistake in a setting: the run fails, and the earlier comment now explains the error and the remedy", async () => {
    pushed("A mistake", () => {
      fs.rmSync(origin.file("Pulumi.small.yaml"));
      origin.edit("Pulumi.local.yaml", (text) => text.replace(/matrix-ha:ccu: \d+/, "matrix-ha:ccu: -5"));
    });
    const jobs = await runner.run();
    assert.deepEqual(
      jobs.map((j) => [j.name, j.ok]),
      [
        ["stacks", true],
        ["preview-local", false],
        ["comment", true],
      ],
      whole(jobs),
    );
    assert.equal(github.comments.length, 1, "updated in place");
    assert.match(body(), /^\| `local` .*\*\*failed\*\*/m);
    assert.match(body(), /^> +ccu\n> +given: +-5\n> +allowed: .*\n> +do: /m);
    assert.doesNotMatch(body(), /^> +at .*\.[jt]s:\d+/m, "people read it, not a stack trace");
  });
});
