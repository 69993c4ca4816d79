/** The API server over open connections: a kubectl every second would distort the measurement. */
import * as https from "node:https";
import * as k8s from "@kubernetes/client-node";

/** An answer that is not what was asked for. */
export class Refusal extends Error {
  constructor(
    /** HTTP status. */
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  body?: unknown;
  /** @default "application/json" */
  contentType?: string;
}

const TIMEOUT_SECONDS = 30;

export class Api {
  private readonly config = new k8s.KubeConfig();
  private readonly credentials: Promise<https.RequestOptions>;
  private readonly agent = new https.Agent({ keepAlive: true });

  constructor(kubeconfig: string) {
    this.config.loadFromFile(kubeconfig);
    this.credentials = this.login();
  }

  private async login(): Promise<https.RequestOptions> {
    const options: https.RequestOptions = {};
    await this.config.applyToHTTPSOptions(options as any);
    const { ca, cert, key, headers } = options;
    return { ca, cert, key, headers };
  }

  /** The object or list at this path of the API server. */
  get(path: string): Promise<any> {
    return this.request({ method: "GET", path });
  }

  /** @throws Refusal for an answer other than 2xx, with the API server's reason */
  async request({ method, path, body, contentType = "application/json" }: ApiRequest): Promise<any> {
    const credentials = await this.credentials;
    const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const req = https.request(
        new URL(path, this.config.getCurrentCluster()!.server),
        {
          ...credentials,
          method,
          agent: this.agent,
          timeout: TIMEOUT_SECONDS * 1000,
          headers: {
            ...(credentials.headers as any),
            accept: "application/json",
            // Of a DELETE, Node would announce no body by itself.
            ...(sent ? { "content-type": contentType, "content-length": sent.length } : {}),
          },
        },
        (res) => {
          let answer = "";
          res.setEncoding("utf8");
          res.on("data", (c) => {
            answer += c;
          });
          res.on("end", () => {
            const code = res.statusCode ?? 0;
            try {
              const parsed = JSON.parse(answer);
              if (code >= 200 && code < 300) resolve(parsed);
              else reject(new Refusal(code, parsed.message ?? `${path}: ${code}`));
            } catch {
              reject(new Refusal(code, answer.trim() || `${path}: ${code}`));
            }
          });
        },
      );
      req.on("timeout", () => req.destroy(new Error(`the API server did not answer in ${TIMEOUT_SECONDS} s`)));
      req.on("error", reject);
      req.end(sent);
    });
  }
}
