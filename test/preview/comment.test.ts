/** The comment arrives once and is then updated in place; a fork's run goes without it and does not fail. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stackNames } from "../../components/settings/stackFile";
import { comment, reportsOf } from "../../scripts/preview/comment";
import { putComment } from "../../scripts/preview/github";
import { MARKER } from "../../scripts/preview/render";
import { FakeGitHub, REPOSITORY, TOKEN } from "./helpers/github";
import { writeResult } from "../../scripts/preview/results";
import { engineResult, report, RETENTION } from "./helpers/reports";

describe("the preview's comment on GitHub", () => {
  const github = new FakeGitHub();
  let dir: string, env: NodeJS.ProcessEnv;
  const said: string[] = [];
  const post = (changes = RETENTION): Promise<void> =>
    comment(env, [report("small", changes)], (line) => said.push(line));
  const summary = (): string => fs.readFileSync(env.GITHUB_STEP_SUMMARY!, "utf8");

  before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "preview-comment-"));
    const event = path.join(dir, "event.json");
    fs.writeFileSync(
      event,
      JSON.stringify({ pull_request: { number: 7, head: { sha: "a".repeat(40) }, base: { sha: "b".repeat(40) } } }),
    );
    env = {
      GITHUB_TOKEN: TOKEN,
      GITHUB_REPOSITORY: REPOSITORY,
      GITHUB_API_URL: await github.start(),
      GITHUB_EVENT_PATH: event,
      GITHUB_SERVER_URL: "https://github.example",
      GITHUB_RUN_ID: "99",
    };
  });
  beforeEach(() => {
    for (const list of [github.comments, github.requests, github.first, said]) list.length = 0;
    github.readOnly = false;
    env.GITHUB_STEP_SUMMARY = path.join(dir, "summary.md");
    fs.rmSync(env.GITHUB_STEP_SUMMARY, { force: true });
  });
  after(async () => {
    await github.stop();
    fs.rmSync(dir, { recursive: true });
  });

  it("is written by the first run, with a link to it, and is in the run's summary too", async () => {
    await post();
    assert.equal(github.comments.length, 1);
    assert.ok(github.comments[0]!.body!.startsWith(MARKER));
    assert.match(github.comments[0]!.body!, /2 workloads restart/);
    assert.match(github.comments[0]!.body!, /https:\/\/github\.example\/someone\/matrix\/actions\/runs\/99/);
    assert.match(summary(), /2 workloads restart/);
  });

  it("is updated in place by the next, among those of people and on a later page", async () => {
    for (let i = 0; i < 130; i++) github.add(`comment ${i}`);
    await post();
    github.add(`I quote:\n${MARKER}`);
    await post([]);
    assert.equal(github.comments.length, 132);
    assert.match(github.comments[130]!.body!, /\*\*Nothing\.\*\*/);
    assert.deepEqual(
      github.requests.filter((r) => r.method !== "GET"),
      [
        { method: "POST", path: `/repos/${REPOSITORY}/issues/7/comments` },
        { method: "PATCH", path: `/repos/${REPOSITORY}/issues/comments/1130` },
      ],
    );
  });

  it("a person's comment is never overwritten, even if it begins with the marker", async () => {
    const persons = github.add(`${MARKER}\nmine`);
    await post();
    assert.equal(persons.body, `${MARKER}\nmine`);
    assert.equal(github.comments.length, 2);
  });

  it("from a fork: no comment, no failure, and the summary has the preview", async () => {
    github.readOnly = true;
    await post();
    assert.equal(github.comments.length, 0);
    assert.match(said.join(), /may not write.*fork.*Resource not accessible/);
    assert.match(summary(), /2 workloads restart/);
  });

  it("from a fork, over a comment that is there: the same", async () => {
    const own = github.add(`${MARKER}\nold`, "Bot");
    github.readOnly = true;
    await post();
    assert.equal(own.body, `${MARKER}\nold`);
    assert.match(said.join(), /may not write/);
  });

  it("a wrong token is not taken for a fork: it fails with GitHub's message", async () => {
    env = { ...env, GITHUB_TOKEN: "expired" };
    try {
      await assert.rejects(post(), /401.*Bad credentials/);
    } finally {
      env = { ...env, GITHUB_TOKEN: TOKEN };
    }
  });

  it("an overloaded or limiting GitHub is asked again", async () => {
    github.first.push(
      { status: 502 },
      {
        status: 403,
        headers: { "retry-after": "0", "x-ratelimit-remaining": "0" },
        body: { message: "secondary rate limit" },
      },
    );
    const access = { api: env.GITHUB_API_URL!, repository: REPOSITORY, token: TOKEN, pauseSeconds: 0.01 };
    assert.deepEqual(await putComment(access, 7, MARKER, `${MARKER}\nx`), { updated: false, url: undefined });
    github.first.push(...Array.from({ length: 4 }, () => ({ status: 503 })));
    await assert.rejects(putComment(access, 7, MARKER, "x"), /503/);
  });

  it("reports every stack, even one that left no result; outside a workflow only those that were previewed", () => {
    const results = path.join(dir, "results");
    writeResult("engine", engineResult("small"), results);
    assert.deepEqual(
      reportsOf(results, {}).map((r) => r.stack),
      ["small"],
    );
    const all = reportsOf(results, env);
    assert.deepEqual(
      all.map((r) => r.stack),
      stackNames(),
    );
    assert.deepEqual(
      all.filter((r) => r.engine).map((r) => r.stack),
      ["small"],
    );
  });

  it("without a token it names the missing variables", async () => {
    const { GITHUB_TOKEN: _, ...without } = env;
    await assert.rejects(
      comment(without, [], () => undefined),
      /GITHUB_TOKEN/,
    );
  });

  it("no secret of the environment leaves in it", async () => {
    const passphrase = "correct horse battery staple";
    env.PULUMI_CONFIG_PASSPHRASE = passphrase;
    await comment(
      env,
      [
        report("small", RETENTION, {
          ok: false,
          errors: [
            `cannot decrypt with ${passphrase} by ${TOKEN}: -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----`,
          ],
        }),
      ],
      () => undefined,
    );
    delete env.PULUMI_CONFIG_PASSPHRASE;
    for (const text of [github.comments[0]!.body!, summary()]) {
      for (const secret of [passphrase, TOKEN, "b3BlbnNzaC1r"]) assert.ok(!text.includes(secret), secret);
      assert.match(text, /cannot decrypt with \(secret\) by \(secret\)/);
    }
  });
});
