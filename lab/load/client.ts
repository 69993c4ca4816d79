/** Requests to the homeserver through its router, on kept connections. A body is parsed only where it is used. */
import * as http from "node:http";

export interface Answer {
  /** 0 when there was none. */
  status: number;
  body: Buffer;
  /** What went wrong, where there was no answer. */
  error?: string;
}

export interface Asked {
  method: "GET" | "PUT" | "POST";
  path: string;
  token?: string;
  body?: unknown;
  /** @default application/json; a Buffer is sent as it is */
  type?: string;
  /** A request without an answer has failed after so many seconds. @default 60 */
  seconds?: number;
}

const PATIENCE_SECONDS = 600,
  TRIES = 4;

export class Client {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** Never throws: a failure is a result. */
  ask({ method, path, token, body, type = "application/json", seconds = 60 }: Asked): Promise<Answer> {
    const sent = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    return new Promise((resolve) => {
      const request = http.request(
        {
          host: this.host,
          port: this.port,
          method,
          path,
          agent: this.agent,
          headers: {
            host: "matrix.example.org",
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...(sent ? { "content-type": type, "content-length": sent.length } : {}),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => end({ status: response.statusCode!, body: Buffer.concat(chunks) }));
          response.on("error", (error) => end({ status: 0, body: Buffer.alloc(0), error: error.message }));
        },
      );
      const timer = setTimeout(() => request.destroy(new Error(`no answer in ${seconds} s`)), seconds * 1000);
      const end = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      request.on("error", (error: NodeJS.ErrnoException) =>
        end({ status: 0, body: Buffer.alloc(0), error: error.code ?? error.message }),
      );
      request.end(sent);
    });
  }

  /**
   * Parsed; for what is made before anything is measured, so a busy machine has its time, and a second try.
   *
   * @throws Unless it is 200 in the end.
   */
  async must(asked: Asked): Promise<any> {
    for (let tries = 1; ; tries += 1) {
      const { status, body, error } = await this.ask({ seconds: PATIENCE_SECONDS, ...asked });
      if (status === 200) return JSON.parse(body.toString());
      if (tries === TRIES || (status >= 400 && status < 500))
        throw new Error(`${asked.method} ${asked.path}: ${error ?? `${status} ${body.toString()}`}`);
    }
  }

  close(): void {
    this.agent.destroy();
  }
}
