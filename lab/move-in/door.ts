/** Where clients reach the homeserver: the old one first, the new one's ingress after the switch, as by DNS. */
import * as http from "node:http";
import { request, type Access } from "../local/access";

export interface Asked {
  method?: string;
  token?: string;
  /** An object is sent as JSON. */ body?: object | Buffer;
  /** Of a body of bytes. */ type?: string;
  cookies?: string;
}
export interface Answered {
  status: number;
  body: Buffer;
  json: any;
  location?: string;
  /** Those that it sets, as a browser sends them back. */ cookies: string;
}

interface Sent {
  method: string;
  headers: Record<string, string>;
  body?: Buffer;
}

/** A request as the reverse proxy before the old server passes it on; `fetch` sets no Host. */
function proxied(url: string, { method, headers, body }: Sent): ReturnType<typeof request> {
  return new Promise((resolve, reject) => {
    const more = { host: "matrix.local.test", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" };
    const req = http.request(url, { method, headers: { ...headers, ...more } }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (c) => chunks.push(c));
      res.on("error", reject);
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }));
    });
    req.on("error", reject);
    req.end(body);
  });
}

export class Door {
  /** Of the old server, or the new one. */
  private at: string | Access;

  constructor(oldUrl: string) {
    this.at = oldUrl;
  }
  leadsTo(at: string | Access): void {
    this.at = at;
  }

  private send(target: string, asked: Sent): ReturnType<typeof request> {
    if (typeof this.at === "string") return proxied(this.at + target, asked);
    const { hostnames } = this.at;
    return request(
      this.at,
      target.startsWith("/_synapse/admin") ? hostnames.admin! : hostnames.homeserver!,
      target,
      asked,
    );
  }

  /** As `fetch`, for matrix-js-sdk. */
  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    const target = url.pathname + url.search;
    const asked = {
      method: init.method ?? "GET",
      headers: Object.fromEntries(new Headers(init.headers).entries()),
      body: init.body === undefined || init.body === null ? undefined : Buffer.from(init.body as any),
    };
    const { status, headers: answered, body } = await this.send(target, asked);
    return new Response([204, 304].includes(status) ? null : new Uint8Array(body), {
      status,
      headers: [
        ["content-type", String(answered["content-type"] ?? "")],
        ...(answered.location ? [["location", String(answered.location)] as [string, string]] : []),
        ...((answered["set-cookie"] ?? []) as string[]).map((c): [string, string] => ["set-cookie", c]),
      ],
    });
  };

  async ask(target: string, { method = "GET", token, body, type, cookies }: Asked = {}): Promise<Answered> {
    const binary = Buffer.isBuffer(body);
    const answer = await this.fetch(`https://homeserver${target}`, {
      method,
      redirect: "manual",
      headers: {
        ...(cookies ? { cookie: cookies } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { "content-type": binary ? type! : "application/json" } : {}),
      },
      ...(body ? { body: binary ? new Uint8Array(body) : JSON.stringify(body) } : {}),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return {
      status: answer.status,
      body: bytes,
      cookies: answer.headers
        .getSetCookie()
        .map((c) => c.split(";")[0]!)
        .join("; "),
      location: answer.headers.get("location") ?? undefined,
      get json() {
        return JSON.parse(bytes.toString());
      },
    };
  }

  /** The same, where anything but 200 is an error. */
  async must(target: string, asked: Asked = {}): Promise<any> {
    const answer = await this.ask(target, asked);
    if (answer.status !== 200)
      throw new Error(`${asked.method ?? "GET"} ${target}: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
    return answer.json;
  }
}
