/** Where clients reach the homeserver: the old one first, the new one's ingress after the switch, as by DNS. */
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

export class Door {
  /** Of the old server, or the new one. */
  private at: string | Access;

  constructor(oldUrl: string) {
    this.at = oldUrl;
  }
  leadsTo(at: string | Access): void {
    this.at = at;
  }

  /** As `fetch`, for matrix-js-sdk. */
  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    const target = url.pathname + url.search;
    if (typeof this.at === "string") return fetch(this.at + target, init);
    const a = this.at;
    const host = url.pathname.startsWith("/_synapse/admin") ? a.hostnames.admin! : a.hostnames.homeserver!;
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const {
      status,
      headers: answered,
      body,
    } = await request(a, host, target, {
      method: init.method,
      headers,
      body: init.body === undefined || init.body === null ? undefined : Buffer.from(init.body as any),
    });
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
