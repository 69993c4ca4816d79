/** The part of GitHub's REST API that one comment on a pull request needs. */

export interface Access {
  api: string;
  repository: string;
  token: string;
  /** Pause before a request is repeated, in seconds. */ pauseSeconds?: number;
}
export interface Comment {
  id: number;
  body?: string;
  html_url?: string;
  user?: { type?: string } | null;
}

/** The token may read but not write, as for a pull request from a fork. */
export class NotAllowed extends Error {}

const TRIES = 4;
/** GitHub's minimum pause after a secondary rate limit that names no time. */
const PAUSE_SECONDS = 10;
const LONGEST_PAUSE_SECONDS = 120;
const PER_PAGE = 100;

const isLimited = (r: Response): boolean =>
  r.status === 429 ||
  (r.status === 403 && (r.headers.has("retry-after") || r.headers.get("x-ratelimit-remaining") === "0"));

async function request(access: Access, method: string, path: string, body?: unknown): Promise<any> {
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(`${access.api}${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${access.token}`,
        "x-github-api-version": "2022-11-28",
        "user-agent": "matrix-ha-preview",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
    });
    if (answer.ok) return answer.json();
    const said = (await answer.text()).slice(0, 500);
    if ((answer.status >= 500 || isLimited(answer)) && attempt < TRIES) {
      const asked = Number(answer.headers.get("retry-after")) || access.pauseSeconds || PAUSE_SECONDS;
      await new Promise((resolve) => setTimeout(resolve, Math.min(asked, LONGEST_PAUSE_SECONDS) * 1000));
      continue;
    }
    // GitHub answers 404 for anything that a token may not even see.
    if (method !== "GET" && !isLimited(answer) && (answer.status === 403 || answer.status === 404))
      throw new NotAllowed(said);
    throw new Error(`GitHub answered ${answer.status} to ${method} ${path}: ${said}`);
  }
}

/** The comment of an earlier run. A person's comment does not count, even if it quotes ours. */
async function earlier(access: Access, number: number, marker: string): Promise<Comment | undefined> {
  for (let page = 1; ; page++) {
    const comments: Comment[] = await request(
      access,
      "GET",
      `/repos/${access.repository}/issues/${number}/comments?per_page=${PER_PAGE}&page=${page}`,
    );
    const own = comments.find((c) => c.user?.type === "Bot" && c.body?.startsWith(marker));
    if (own || comments.length < PER_PAGE) return own;
  }
}

/** One comment per pull request: the first run writes it, every later one replaces its text. */
export async function putComment(
  access: Access,
  number: number,
  marker: string,
  body: string,
): Promise<{ updated: boolean; url?: string }> {
  const own = await earlier(access, number, marker);
  const done: Comment = own
    ? await request(access, "PATCH", `/repos/${access.repository}/issues/comments/${own.id}`, { body })
    : await request(access, "POST", `/repos/${access.repository}/issues/${number}/comments`, { body });
  return { updated: Boolean(own), url: done.html_url };
}
