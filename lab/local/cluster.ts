/** The API server, asked with whole objects: nothing is left out that a client library's types do not know. */
import * as https from "node:https";
import * as k8s from "@kubernetes/client-node";

export class ApiError extends Error {
  constructor(readonly code: number, message: string) { super(message); }
}

/** Finds the path of an object by discovery; requests are made by Cluster. */
class Paths extends k8s.KubernetesObjectApi {
  async of(object: any, action: "patch" | "read" | "delete"): Promise<string> {
    return this.specUriPath(object, action);
  }
}

export class Cluster {
  private readonly config = new k8s.KubeConfig();
  private readonly agent: Promise<https.RequestOptions>;
  private readonly paths: Paths;
  private readonly keepAlive = new https.Agent({ keepAlive: true });

  constructor(kubeconfig: string) {
    this.config.loadFromFile(kubeconfig);
    this.paths = Paths.makeApiClient(this.config) as Paths;
    Object.setPrototypeOf(this.paths, Paths.prototype);
    this.agent = this.credentials();
  }

  private async credentials(): Promise<https.RequestOptions> {
    const options: https.RequestOptions = {};
    await this.config.applyToHTTPSOptions(options as any);
    const { ca, cert, key, headers } = options;
    return { ca, cert, key, headers };
  }

  /** Server-side apply; fields that others own are taken over, as the provider does on its own objects. */
  async apply(object: any, fieldManager: string): Promise<any> {
    const path = await this.paths.of(object, "patch");
    return this.request("PATCH", `${path}?fieldManager=${fieldManager}&force=true`, object, "application/apply-patch+yaml");
  }

  async read(object: any): Promise<any | undefined> {
    try {
      return await this.request("GET", await this.paths.of(object, "read"));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** What the API server has under this path: an object, or a list. */
  get(path: string): Promise<any> { return this.request("GET", path); }

  async remove(object: any, propagationPolicy: "Background" | "Foreground"): Promise<void> {
    await this.request("DELETE", await this.paths.of(object, "delete"), { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy });
  }

  private async request(method: string, path: string, body?: unknown, contentType = "application/json"): Promise<any> {
    const server = new URL(this.config.getCurrentCluster()!.server);
    const credentials = await this.agent;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const url = new URL(path, server);
      const req = https.request(url, {
        ...credentials, agent: this.keepAlive, method, timeout: 30_000,
        // The length by hand: of a DELETE Node does not tell it, and the server takes the body for the next request.
        headers: { ...(credentials.headers as any), accept: "application/json", ...(text === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(text) }) },
      }, (res) => {
        let answer = "";
        res.setEncoding("utf8");
        res.on("data", (c) => { answer += c; });
        res.on("end", () => {
          const code = res.statusCode ?? 0;
          let parsed: any;
          try { parsed = JSON.parse(answer); } catch { parsed = { message: answer.trim() }; }
          if (code >= 200 && code < 300) resolve(parsed);
          else reject(new ApiError(code, parsed.message ?? `${method} ${path}: ${code}`));
        });
      });
      req.on("timeout", () => req.destroy(new Error("timeout: the API server did not answer in 30 s")));
      req.on("error", reject);
      req.end(text);
    });
  }
}
