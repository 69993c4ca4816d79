/**
 * The last step of the workflow: one comment for all stacks, or, if the token may not write one, only the summary of
 * the run.
 */
import * as fs from "node:fs";
import { parse, runMain, UsageError } from "../../cli/arguments";
import { stackNames } from "../../components/settings/stackFile";
import { NotAllowed, putComment } from "./github";
import { withoutSecrets } from "./hide";
import { COMMENT_LIMIT, MARKER, render, SUMMARY_LIMIT, type StackReport } from "./render";
import { readResult, RESULTS, ROOT } from "./results";

const USAGE = `npx tsx scripts/preview/comment.ts
  Renders the results of the previews and posts them on the pull request of GITHUB_EVENT_PATH. Without one they are printed.`;

interface PullRequest {
  number: number;
  head: { sha: string };
}

function pullRequest(env: NodeJS.ProcessEnv): PullRequest | undefined {
  const file = env.GITHUB_EVENT_PATH;
  return file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).pull_request : undefined;
}

const runUrl = (env: NodeJS.ProcessEnv): string | undefined =>
  env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY && env.GITHUB_RUN_ID
    ? `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`
    : undefined;

export async function comment(
  env: NodeJS.ProcessEnv,
  reports: StackReport[],
  log: (line: string) => void = console.log,
): Promise<void> {
  const pr = pullRequest(env);
  const text = (limit: number): string =>
    withoutSecrets(render(reports, { head: pr?.head.sha, runUrl: runUrl(env), limit }), env);
  if (env.GITHUB_STEP_SUMMARY) fs.appendFileSync(env.GITHUB_STEP_SUMMARY, `${text(SUMMARY_LIMIT)}\n`);
  if (!pr) {
    log(text(SUMMARY_LIMIT));
    return;
  }
  const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository, GITHUB_API_URL: api } = env;
  if (!token || !repository || !api)
    throw new UsageError(
      "a comment needs GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL: a runner sets the last two, the workflow passes the token",
    );
  try {
    const { updated, url } = await putComment({ api, repository, token }, pr.number, MARKER, text(COMMENT_LIMIT));
    log(`comment ${updated ? "updated" : "written"}${url ? `: ${url}` : ""}`);
  } catch (error) {
    if (!(error instanceof NotAllowed)) throw error;
    log(
      `No comment: the token may not write one, which is so for pull requests from forks. The preview is in the summary of this run. GitHub said: ${error.message}`,
    );
  }
}

/**
 * The stacks of the checkout. In a workflow this includes stacks whose job failed early and left no result; elsewhere
 * only those that were previewed.
 */
export function reportsOf(dir: string, env: NodeJS.ProcessEnv): StackReport[] {
  const all = stackNames(ROOT).map((stack): StackReport => ({
    stack,
    engine: readResult("engine", stack, dir),
    changes: readResult("changes", stack, dir),
  }));
  return pullRequest(env) ? all : all.filter((r) => r.engine ?? r.changes);
}

async function main(argv: string[]): Promise<void> {
  parse(argv, {});
  await comment(process.env, reportsOf(RESULTS, process.env));
}

if (require.main === module) runMain(USAGE, main);
