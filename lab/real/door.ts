/**
 * The public entrance with a real nginx: its configuration as the ingress controller writes it from the rendered
 * ConfigMap (templates version1/nginx.tmpl and nginx.ingress.tmpl of kubernetes-ingress 5.5), a router that answers
 * when it is told to, and clients that hold connections as browsers do.
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Told, Tell } from "./doorLoad";
import { nginxWithConf } from "./nginx";

export const DOOR_PORT = 18443;
const ROUTER_PORT = 18444;

/** nginx.conf from the controller's ConfigMap: what bears on connections. @throws Error for a key that is missing */
export function doorConf(config: Record<string, string>, dir: string): string {
  const get = (key: string): string => {
    const value = config[key];
    if (value === undefined) throw new Error(`the ConfigMap has no ${key}`);
    return value;
  };
  const on = (key: string): string => (get(key) === "true" ? "on" : "off");
  return `worker_processes ${get("worker-processes")};
worker_rlimit_nofile ${get("worker-rlimit-nofile")};
worker_shutdown_timeout ${get("worker-shutdown-timeout")};
error_log ${dir}/error.log warn;
pid ${dir}/nginx.pid;
daemon off;
events { worker_connections ${get("worker-connections")}; }
http {
  access_log off;
  server_tokens ${on("server-tokens")};
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  keepalive_timeout 75s;
  ssl_protocols ${get("ssl-protocols")};
  upstream router {
    zone router 256k;
    server 127.0.0.1:${ROUTER_PORT} max_fails=1 fail_timeout=10s max_conns=0;
    keepalive ${get("keepalive")};
  }
  server {
    listen 127.0.0.1:${DOOR_PORT} ssl;
    http2 ${on("http2")};
    ssl_certificate ${dir}/tls.crt;
    ssl_certificate_key ${dir}/tls.key;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout ${get("proxy-connect-timeout")};
      proxy_read_timeout ${get("proxy-read-timeout")};
      proxy_send_timeout ${get("proxy-send-timeout")};
      client_max_body_size ${get("client-max-body-size")};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      proxy_buffers ${get("proxy-buffers")};
      proxy_buffer_size ${get("proxy-buffer-size")};
      proxy_pass http://router;
    }
  }
}
`;
}

/** A process that takes part: clients, or the router. */
class Part {
  private readonly child: ChildProcess;
  private waiting: Array<(told: Told) => void> = [];
  constructor() {
    this.child = spawn(process.execPath, ["-r", "tsx", path.join(__dirname, "doorLoad.ts")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.child.on("message", (told: Told) => this.waiting.shift()?.(told));
  }
  /** Tells it what to do, and waits until it has been done. */
  ask(tell: Tell): Promise<Told> {
    return new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      this.child.once("exit", (code) => reject(new Error(`a process of the load ended (${code})`)));
      this.child.send(tell);
    });
  }
  kill(): void {
    this.child.removeAllListeners("exit");
    this.child.kill("SIGKILL");
  }
}

/** nginx with the router behind it and the clients in front. */
export class Door {
  private readonly parts: Part[] = [];
  private nginx: ChildProcess | undefined;
  private readonly router = this.part();

  private constructor(private readonly dir: string) {}

  static async open(dir: string, config: Record<string, string>, tls: { cert: string; key: string }): Promise<Door> {
    const door = new Door(dir);
    fs.writeFileSync(path.join(dir, "tls.crt"), tls.cert);
    fs.writeFileSync(path.join(dir, "tls.key"), tls.key);
    fs.writeFileSync(path.join(dir, "nginx.conf"), doorConf(config, dir));
    await door.router.ask({ kind: "router", port: ROUTER_PORT });
    door.nginx = spawn(...nginxWithConf(dir), { stdio: ["ignore", "inherit", "inherit"] });
    return door;
  }

  private part(): Part {
    const part = new Part();
    this.parts.push(part);
    return part;
  }

  /** A group of clients: `held` with a request that waits, `idle` with an answered one. Resolves when all are there. */
  async clients(held: number, idle: number): Promise<{ finish: () => Promise<Told>; opened: Told }> {
    const part = this.part();
    const opened = await part.ask({ kind: "clients", port: DOOR_PORT, held, idle });
    return { opened, finish: () => part.ask({ kind: "finish" }) };
  }
  /** Requests that wait at the router. */
  async waiting(): Promise<number> {
    return (await this.router.ask({ kind: "count" })).count;
  }
  /** Lets the router answer all of them. */
  async answer(): Promise<void> {
    await this.router.ask({ kind: "release" });
  }
  /** What nginx complained of. */
  errors(): string {
    const file = path.join(this.dir, "error.log");
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  }
  /** Memory of all its processes, KiB: what is shared counts once (Pss). */
  memoryKiB(): number {
    const main = this.nginx!.pid!;
    const children = fs.readFileSync(`/proc/${main}/task/${main}/children`, "utf8").trim().split(" ");
    return [String(main), ...children].reduce((sum, pid) => {
      const pss = /^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
      return sum + Number(pss?.[1] ?? 0);
    }, 0);
  }
  async close(): Promise<void> {
    for (const part of this.parts) part.kill();
    const { nginx } = this;
    if (!nginx || nginx.exitCode !== null) return;
    await new Promise<void>((done) => {
      nginx.on("exit", () => done());
      nginx.kill("SIGTERM");
    });
  }
}
