/** The API server over open connections: a kubectl every second would distort the measurement. */
import * as https from "node:https";
import * as k8s from "@kubernetes/client-node";

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
  async get(path: string): Promise<any> {
    const credentials = await this.credentials;
    return new Promise((resolve, reject) => {
      const req = https.get(
        new URL(path, this.config.getCurrentCluster()!.server),
        {
          ...credentials,
          agent: this.agent,
          timeout: 30_000,
          headers: { ...(credentials.headers as any), accept: "application/json" },
        },
        (res) => {
          let answer = "";
          res.setEncoding("utf8");
          res.on("data", (c) => {
            answer += c;
          });
          res.on("end", () => {
            try {
              const parsed = JSON.parse(answer);
              if (res.statusCode === 200) resolve(parsed);
              else reject(new Error(parsed.message ?? `${path}: ${res.statusCode}`));
            } catch {
              reject(new Error(answer.trim() || `${path}: ${res.statusCode}`));
            }
          });
        },
      );
      req.on("timeout", () => req.destroy(new Error("the API server did not answer in 30 s")));
      req.on("error", reject);
    });
  }
}
