/**
 * The part of GitHub's API for comments on a pull request, on the loopback: storage, refusals and their messages.
 */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Comment } from "../../../scripts/preview/github";

export const REPOSITORY = "someone/matrix",
  TOKEN = "ghs_aTokenThatLivesAsLongAsAJob";
/** The token of a pull request from a fork is refused with this. */
const FORK = {
  message: "Resource not accessible by integration",
  documentation_url: "https://docs.github.com/rest/issues/comments#create-an-issue-comment",
  status: "403",
};

export interface Request {
  method: string;
  path: string;
}

export class FakeGitHub {
  readonly comments: Comment[] = [];
  readonly requests: Request[] = [];
  readOnly = false;
  /** Answers that come first, before anything is looked at: an overload, a rate limit. */
  readonly first: Array<{ status: number; headers?: Record<string, string>; body?: object }> = [];
  private server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      this.requests.push({ method: request.method!, path: request.url! });
      const { status, headers, body } = this.first.shift() ?? this.answer(request, text ? JSON.parse(text) : undefined);
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body ?? { message: "no" }));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** An earlier comment by the given author. */
  add(body: string, type: "User" | "Bot" = "User"): Comment {
    const comment = { id: 1000 + this.comments.length, body, user: { type } };
    this.comments.push(comment);
    return comment;
  }

  private answer(
    request: http.IncomingMessage,
    body: { body: string } | undefined,
  ): { status: number; headers?: Record<string, string>; body?: object } {
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return { status: 401, body: { message: "Bad credentials" } };
    const url = new URL(request.url!, "http://localhost"),
      issue = `/repos/${REPOSITORY}/issues`;
    if (request.method === "GET" && url.pathname === `${issue}/7/comments`) {
      const size = Number(url.searchParams.get("per_page")),
        page = Number(url.searchParams.get("page"));
      return { status: 200, body: this.comments.slice((page - 1) * size, page * size) };
    }
    if (this.readOnly) return { status: 403, body: FORK };
    if (body && body.body.length > 65_536)
      return {
        status: 422,
        body: { message: "Validation Failed", errors: [{ message: "body is too long (maximum is 65536 characters)" }] },
      };
    if (request.method === "POST" && url.pathname === `${issue}/7/comments`)
      return { status: 201, body: this.add(body!.body, "Bot") };
    const own = this.comments.find((c) => url.pathname === `${issue}/comments/${c.id}`);
    if (request.method === "PATCH" && own) {
      own.body = body!.body;
      return { status: 200, body: own };
    }
    return { status: 404, body: { message: "Not Found" } };
  }
}
