/** A small server behind every class of a plan; it answers with its own name and the request. */
import * as http from "node:http";
import { synapseService } from "../../components/core/names";
import type { Plan } from "../../components/sizing/types";
import type { WorkerClass } from "../../components/domain/workerClasses";
import { addLoopback, type Network } from "./network";

export interface Answer {
  class: string;
  index: number;
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
}
export type Behaviour = (
  req: http.IncomingMessage,
  res: http.ServerResponse,
  who: { class: string; index: number },
) => boolean;

let loopbacks = 0;
export class Classes {
  private servers = new Map<string, http.Server[]>();
  readonly requests: Answer[] = [];
  /** Returns true when it has dealt with the request itself. */
  behaviour?: Behaviour;
  readonly addresses = new Map<string, string[]>();
  /** Processes, as `class-index`, whose health listener answers 503 while they go on to answer requests. */
  readonly unwell = new Set<string>();

  constructor(
    private readonly plan: Plan,
    private readonly net: Network,
    private readonly domain = "cluster.local",
  ) {}

  async start(): Promise<this> {
    for (const pool of this.plan.synapse.pools) await this.place(pool.class, pool.replicas);
    return this;
  }
  /** Its processes, under their names, at addresses that were never used before. */
  private async place(cls: WorkerClass, replicas: number): Promise<void> {
    const addresses = Array.from({ length: replicas }, () => {
      loopbacks += 1;
      const a = `10.91.${loopbacks >> 8}.${loopbacks & 255}`;
      addLoopback(a);
      return a;
    });
    this.addresses.set(cls, addresses);
    await this.up(cls);
    const service = `${synapseService(cls)}.matrix.svc.${this.domain}`;
    addresses.forEach((a, i) => this.net.dns.a.set(`${i}.${service}`, [a]));
    this.net.dns.a.set(service, addresses);
    this.announce(cls);
  }
  /** All of its processes end and return at other addresses, as pods of a StatefulSet do. */
  async move(cls: WorkerClass): Promise<void> {
    const replicas = this.addresses.get(cls)!.length;
    await this.down(cls);
    await this.place(cls, replicas);
  }
  async up(cls: WorkerClass | string): Promise<void> {
    const servers = await Promise.all(
      this.addresses.get(cls)!.flatMap((a, index) =>
        [8008, 8080].map(
          (port) =>
            new Promise<http.Server>((resolve, reject) => {
              const server = http.createServer((req, res) => {
                if (port === 8080) {
                  if (this.unwell.has(`${cls}-${index}`)) res.statusCode = 503;
                  res.end("OK");
                  return;
                }
                const who = { class: cls, index };
                this.requests.push({ ...who, method: req.method!, url: req.url!, headers: req.headers });
                if (this.behaviour?.(req, res, who)) return;
                req.resume();
                res.setHeader("content-type", "application/json");
                res.end(JSON.stringify({ ...who, url: req.url }));
              });
              server.on("error", reject);
              server.listen(port, a, () => resolve(server));
            }),
        ),
      ),
    );
    this.servers.set(cls, servers);
  }
  private end(servers: http.Server[]): Promise<unknown> {
    return Promise.all(
      servers.map(
        (s) =>
          new Promise<void>((done) => {
            s.close(() => done());
            s.closeAllConnections();
          }),
      ),
    );
  }
  async down(cls: WorkerClass | string): Promise<void> {
    await this.end(this.servers.get(cls) ?? []);
    this.servers.delete(cls);
  }
  /** One process of a class leaves DNS, as a pod that is being deleted does; `rejoin` is for all of them. */
  leave(cls: WorkerClass, index: number): void {
    const name = this.record(cls),
      all = this.net.dns.srv.get(name)!;
    this.net.dns.srv.set(
      name,
      all.filter((s) => !s.target.startsWith(`${index}.`)),
    );
  }
  /** Its process ends: both of its ports. */
  async endOne(cls: WorkerClass, index: number): Promise<void> {
    await this.end(this.servers.get(cls)!.splice(index * 2, 2));
  }
  async rejoin(cls: WorkerClass): Promise<void> {
    await this.down(cls);
    await this.up(cls);
    this.announce(cls);
  }
  private record(cls: string): string {
    return `_http._tcp.${synapseService(cls as WorkerClass)}.matrix.svc.${this.domain}`;
  }
  private announce(cls: string): void {
    const name = this.record(cls);
    this.net.dns.srv.set(
      name,
      this.addresses.get(cls)!.map((_, i) => ({ target: `${i}.${name.slice("_http._tcp.".length)}`, port: 8008 })),
    );
  }
  async stop(): Promise<void> {
    await Promise.all([...this.servers.keys()].map((c) => this.down(c)));
  }
}

export interface Reply {
  status: number;
  body: string;
  headers: http.IncomingHttpHeaders;
  who?: { class: string; index: number };
}
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
export interface Sent {
  headers?: Record<string, string>;
  body?: string;
  /** On a connection of its own. */ fresh?: boolean;
}
export const ask = (
  at: { host: string; port: number },
  method: string,
  url: string,
  { headers = {}, body, fresh = false }: Sent = {},
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const r = http.request({ ...at, method, path: url, headers, agent: fresh ? false : agent }, (res) => {
      let text = "";
      res.on("data", (d) => {
        text += d;
      });
      res.on("end", () => {
        let who: Reply["who"];
        try {
          const j = JSON.parse(text);
          if (typeof j.class === "string") who = j;
        } catch {
          /* not JSON: not from our server */
        }
        resolve({ status: res.statusCode!, body: text, headers: res.headers, who });
      });
    });
    // As clients do: where a request on a kept connection is lost, HAProxy closes it without an answer, and it is for
    // the client to repeat what may be repeated.
    r.on("error", (e: NodeJS.ErrnoException) => {
      if (r.reusedSocket && method !== "POST" && e.code === "ECONNRESET")
        resolve(ask(at, method, url, { headers, body }));
      else reject(e);
    });
    r.end(body);
  });
