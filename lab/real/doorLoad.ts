/**
 * A process of the entrance's load (lab/real/door.ts): clients with TLS and HTTP/2, or the router behind. Frames are
 * written by hand: thousands of sessions of Node's own http2 would need more memory than nginx.
 */
import * as http from "node:http";
import * as tls from "node:tls";

/** What the process is told to do. */
export type Tell =
  | { kind: "router"; port: number }
  | { kind: "clients"; port: number; held: number; idle: number }
  | { kind: "count" }
  | { kind: "release" }
  | { kind: "finish" };
/** What it says when that has been done. */
export interface Told {
  /** Requests that wait (router), or clients that are connected. */
  count: number;
  /** Answers that came whole, with status 200. */
  answered: number;
  /** What went wrong, and how often. */
  failed: Record<string, number>;
}

const told = (t: Partial<Told>): void => {
  process.send!({ count: 0, answered: 0, failed: {}, ...t });
};

// The router: /held waits until it is released, everything else is answered at once.

const held = new Set<http.ServerResponse>();

function router(port: number): void {
  const server = http.createServer((request, response) => {
    if (request.url === "/held") held.add(response);
    else response.end("{}");
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(port, "127.0.0.1", 4096, () => told({}));
}

// Clients.

const END_STREAM = 1;
const END_HEADERS = 4;
const FRAME = { data: 0, headers: 1, goaway: 7 } as const;
/** HPACK, static table: `:status 200`. */
const STATUS_200 = 0x88;

function frame(type: number, flags: number, stream: number, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** GET https://localhost/PATH: method and scheme from the static table, path and authority as they are. */
function get(stream: number, target: string): Buffer {
  const literal = (index: number, value: string): Buffer =>
    Buffer.concat([Buffer.from([index, value.length]), Buffer.from(value)]);
  const block = Buffer.concat([Buffer.from([0x82, 0x87]), literal(0x04, target), literal(0x01, "localhost")]);
  return frame(FRAME.headers, END_STREAM | END_HEADERS, stream, block);
}

class Client {
  /** Resolves with undefined when the answer was whole, else with what went wrong. */
  private done: ((fault?: string) => void) | undefined;
  private rest = Buffer.alloc(0);
  private stream = -1;
  private ok = false;
  fault: string | undefined;

  constructor(private readonly socket: tls.TLSSocket) {
    socket.on("data", (bytes) => this.read(bytes));
    socket.on("error", (error: NodeJS.ErrnoException) => this.end(error.code ?? error.message));
    socket.on("close", () => this.end("closed"));
  }
  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] }, () => {
        socket.removeAllListeners("error");
        socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0)]));
        resolve(new Client(socket));
      });
      socket.setNoDelay(true);
      socket.once("error", reject);
    });
  }
  request(target: string): Promise<string | undefined> {
    this.stream += 2;
    this.ok = false;
    if (this.fault !== undefined) return Promise.resolve(this.fault);
    return new Promise((resolve) => {
      this.done = resolve;
      this.socket.write(get(this.stream, target));
    });
  }
  private end(fault?: string): void {
    this.fault ??= fault;
    this.done?.(fault);
    this.done = undefined;
  }
  private read(bytes: Buffer): void {
    let all = this.rest.length > 0 ? Buffer.concat([this.rest, bytes]) : bytes;
    while (all.length >= 9 && all.length >= 9 + all.readUIntBE(0, 3)) {
      const length = all.readUIntBE(0, 3);
      this.take({ type: all[3]!, flags: all[4]!, stream: all.readUInt32BE(5), body: all.subarray(9, 9 + length) });
      all = all.subarray(9 + length);
    }
    this.rest = Buffer.from(all);
  }
  private take({ type, flags, stream, body }: { type: number; flags: number; stream: number; body: Buffer }): void {
    if (type === FRAME.goaway) this.end(`goaway ${body.readUInt32BE(4)}`);
    if (stream !== this.stream) return;
    if (type === FRAME.headers) this.ok = body[0] === STATUS_200 || body.subarray(0, 3).includes(STATUS_200);
    if (flags & END_STREAM && (type === FRAME.data || type === FRAME.headers))
      this.end(this.ok ? undefined : "not 200");
  }
}

const everyone: Client[] = [];
const polls: Array<Promise<string | undefined>> = [];
const failed: Record<string, number> = {};
let answered = 0;
const note = (fault: string | undefined): void => {
  if (fault === undefined) answered++;
  else failed[fault] = (failed[fault] ?? 0) + 1;
};

/** As many at a time as a listening socket's queue takes (nginx: 511). */
async function inTurn(many: number, one: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(128, many) }, async () => {
      while (next < many) await one(next++);
    }),
  );
}

async function clients(port: number, holding: number, idle: number): Promise<void> {
  await inTurn(holding + idle, async (i) => {
    const client = await Client.connect(port).catch((error: NodeJS.ErrnoException) => {
      note(error.code ?? error.message);
      return undefined;
    });
    if (!client) return;
    everyone.push(client);
    if (i < holding) polls.push(client.request("/held"));
    else note(await client.request("/short"));
  });
  told({ count: everyone.length, answered, failed });
}

/** What was held must have been answered by now; then every connection must still serve. */
async function finish(): Promise<void> {
  (await Promise.all(polls)).forEach(note);
  await inTurn(everyone.length, async (i) => note(await everyone[i]!.request("/short")));
  told({ count: everyone.length, answered, failed });
}

process.on("message", (tell: Tell) => {
  switch (tell.kind) {
    case "router":
      return router(tell.port);
    case "clients":
      return void clients(tell.port, tell.held, tell.idle);
    case "count":
      return told({ count: held.size });
    case "release":
      for (const response of held) response.end("{}");
      return told({ count: held.size });
    case "finish":
      return void finish();
  }
});
process.on("disconnect", () => process.exit(0));
