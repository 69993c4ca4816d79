/**
 * A whole Synapse of the stack: main, the writers and the process that sends to appservices as registered, with real
 * PostgreSQL and Redis. Autoscaled classes are left out unless asked for: main answers what they would.
 */
import { createHmac } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PORTS, SECRETS, SERVICES } from "../../components/core/names";
import type { PodTemplate, Subject } from "../../policy/types";
import { nextAddress, type Network, type Running, type TestPod } from "./network";
import { dataOf } from "./podFiles";
import { inImage } from "./postgres";
import { startedFor, type Server } from "./postgresServer";
import { podNames, synapseTemplates } from "./synapse";

const REDIS_UID = 998;

export interface User {
  id: string;
  token: string;
}

/** How much of the stack is started, and behind what. */
export interface Extent {
  /** Processes of each autoscaled class. @default 0 */
  autoscaled?: number;
  /** Whether there is one: a single process needs none. @default true */
  redis?: boolean;
  /** Starts the database; `ip` is where Synapse asks for it. @default PostgreSQL itself, with its own parameters */
  database?: (net: Network, subject: Subject) => Promise<{ server: Server; ip: string }>;
}

const withoutPooler = async (net: Network): Promise<{ server: Server; ip: string }> => {
  const server = await startedFor(net);
  return { server, ip: server.ip };
};

export class Homeserver {
  readonly processes = new Map<string, { pod: TestPod; running: Running }>();
  database!: Server;

  constructor(
    readonly net: Network,
    readonly subject: Subject,
    private readonly extent: Extent = {},
  ) {}

  private get domain(): string {
    return this.subject.settings.cluster.domain;
  }
  secretOf(name: string, key: string): string {
    return dataOf(this.subject.objects, "matrix", { kind: "Secret", name })[key]!.toString();
  }

  async start(): Promise<this> {
    const { autoscaled = 0, redis = true, database = withoutPooler } = this.extent;
    const { server, ip } = await database(this.net, this.subject);
    this.database = server;
    this.named(SERVICES.pooler, ip);
    if (redis) await this.startRedis();
    const isMain = (t: PodTemplate): boolean => t.owner.name === "synapse-main";
    const names = (t: PodTemplate): string[] =>
      podNames(t, this.subject.objects).slice(0, t.owner.kind === "StatefulSet" ? undefined : autoscaled);
    // All pods first: their names must be known before the first of them looks for another.
    const pods = synapseTemplates(this.subject).flatMap((t) =>
      names(t).map((name) => ({
        main: isMain(t),
        pod: this.net.pod(t, this.subject.objects, name, this.domain),
      })),
    );
    // Two at a time: they read Python's modules and the database at their start.
    for (const { pod } of pods.filter((p) => p.main)) await this.startPod(pod);
    const others = pods.filter((p) => !p.main);
    while (others.length > 0) await Promise.all(others.splice(0, 2).map(({ pod }) => this.startPod(pod)));
    return this;
  }

  private named(service: string, ip: string): void {
    this.net.dns.a.set(`${service}.matrix.svc.${this.domain}`, [ip]);
  }

  private async startRedis(): Promise<void> {
    const ip = nextAddress(),
      dir = path.join(this.net.dir, "redis");
    fs.mkdirSync(path.join(dir, "data"), { recursive: true });
    fs.chmodSync(dir, 0o755);
    fs.chownSync(path.join(dir, "data"), REDIS_UID, REDIS_UID);
    const password = this.secretOf(SECRETS.redisSynapse, "password");
    const redis = this.net.spawn(
      this.net.namespace(ip),
      inImage(
        "redis",
        dir,
        ["redis-server", "--bind", "0.0.0.0", "--dir", "/mnt", "--requirepass", password],
        REDIS_UID,
      ),
      "redis",
    );
    await redis.until(() => /Ready to accept connections/.test(redis.output), 30);
    this.named(SERVICES.redisSynapseMaster, ip);
  }

  private async startPod(pod: TestPod): Promise<void> {
    const running = this.net.startContainer(
      pod,
      pod.containers.find((c) => c.name === "synapse")!,
    );
    this.processes.set(pod.identity.name, { pod, running });
    await running.until(async () => (await fetch(`http://${pod.ip}:${PORTS.synapseHealth}/health`)).ok, 240);
  }

  /** As when a process dies: no signal that it could handle. */
  async kill(name: string): Promise<void> {
    const { running } = this.processes.get(name)!;
    process.kill(-running.child.pid!, "SIGKILL");
    await running.ended;
  }
  /** As the kubelet does with a container that has ended. */
  again(name: string): Promise<void> {
    return this.startPod(this.processes.get(name)!.pod);
  }

  get url(): string {
    return `http://${this.processes.get("synapse-main-0")!.pod.ip}:${PORTS.synapseHttp}`;
  }

  /** Asks the client API; what a process that is away could not answer is asked again. */
  async ask(method: string, at: string, user?: User, body?: unknown): Promise<any> {
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${this.url}${at}`, {
        method,
        headers: { "content-type": "application/json", ...(user ? { authorization: `Bearer ${user.token}` } : {}) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: Error) => ({ ok: false, status: 0, text: async () => error.message }) as const);
      if (answer.ok) return (answer as Response).json();
      if (tries > 60 || (answer.status >= 400 && answer.status < 500))
        throw new Error(`${method} ${at}: ${answer.status} ${await answer.text()}`);
      await sleep(1000);
    }
  }

  async user(name: string, admin = false): Promise<User> {
    const { nonce } = await this.ask("GET", "/_synapse/admin/v1/register");
    const password = "a-long-password",
      secret = this.secretOf(SECRETS.synapse, "registration-shared-secret");
    const mac = createHmac("sha1", secret)
      .update(`${nonce}\0${name}\0${password}\0${admin ? "" : "not"}admin`)
      .digest("hex");
    const made = await this.ask("POST", "/_synapse/admin/v1/register", undefined, {
      nonce,
      username: name,
      password,
      admin,
      mac,
    });
    return { id: made.user_id, token: made.access_token };
  }

  send(user: User, room: string, body: string, txn: string): Promise<{ event_id: string }> {
    return this.ask("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${txn}`, user, {
      msgtype: "m.text",
      body,
    });
  }
}
