/**
 * A real nginx with what the stack tells F5's controller: its ConfigMap, and the annotations of one Ingress. The
 * controller's own program is not to be had; which directive each key becomes is in its documentation ("ConfigMap
 * resource", "Advanced configuration with annotations").
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { nginxWithConf } from "./nginx";

export interface IngressNginx {
  port: number;
  /** Bytes that its temporary files have, those without a name (nginx deletes them while they are open) included. */
  onDisk(): number;
  stop(): Promise<void>;
}

const directive = (key: string, value: string | undefined): string[] =>
  value === undefined ? [] : [`${key} ${value};`];
const onOff = (value: string | undefined): string | undefined => value && (value === "false" ? "off" : "on");

/** nginx.conf as the controller writes it, as far as bodies and time-outs go. */
export function ingressConf(i: {
  config: Record<string, string>;
  annotations: Record<string, string>;
  backend: string;
  port: number;
  dir: string;
}): string {
  const of = (name: string): string | undefined => i.annotations[`nginx.org/${name}`] ?? i.config[name];
  return [
    "daemon off;",
    "user root;",
    "worker_processes 1;",
    `pid ${i.dir}/nginx.pid;`,
    `error_log ${i.dir}/error.log;`,
    `events { worker_connections ${i.config["worker-connections"]}; }`,
    "http {",
    "  access_log off;",
    ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((t) => `  ${t}_temp_path ${i.dir}/cache/${t};`),
    `  ${i.config["http-snippets"] ?? ""}`,
    `  upstream backend { server ${i.backend}; keepalive ${i.config.keepalive}; }`,
    "  server {",
    `    listen 127.0.0.1:${i.port};`,
    "    location / {",
    "      proxy_http_version 1.1;",
    '      proxy_set_header Connection "";',
    "      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    ...[
      ...directive("proxy_connect_timeout", of("proxy-connect-timeout")),
      ...directive("proxy_read_timeout", of("proxy-read-timeout")),
      ...directive("proxy_send_timeout", of("proxy-send-timeout")),
      ...directive("client_max_body_size", of("client-max-body-size")),
      ...directive("proxy_buffering", onOff(of("proxy-buffering"))),
      ...directive("proxy_buffers", of("proxy-buffers")),
      ...directive("proxy_buffer_size", of("proxy-buffer-size")),
    ].map((l) => `      ${l}`),
    "      proxy_pass http://backend;",
    "    }",
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Sizes of the files that the processes have open below a folder. */
function openFiles(pids: number[], folder: string): number {
  let bytes = 0;
  for (const pid of pids)
    for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
      const file = `/proc/${pid}/fd/${fd}`;
      if (fs.readlinkSync(file).includes(folder)) bytes += fs.statSync(file).size;
    }
  return bytes;
}

const childrenOf = (pid: number): number[] =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)];

/** Starts it and waits until it listens. */
export async function startIngressNginx(i: {
  config: Record<string, string>;
  annotations: Record<string, string>;
  backend: string;
  port: number;
}): Promise<IngressNginx> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "ingress-"));
  fs.mkdirSync(path.join(dir, "cache"));
  fs.writeFileSync(path.join(dir, "nginx.conf"), ingressConf({ ...i, dir }));
  const child: ChildProcess = spawn(...nginxWithConf(dir), { stdio: "ignore" });
  const pid = child.pid!;
  for (let n = 0; ; n += 1) {
    const up = await fetch(`http://127.0.0.1:${i.port}/`).then(
      () => true,
      () => false,
    );
    if (up) break;
    if (n > 200 || child.exitCode !== null) {
      const log = path.join(dir, "error.log");
      throw new Error(`nginx does not answer: ${fs.existsSync(log) ? fs.readFileSync(log, "utf8") : ""}`);
    }
    await new Promise((done) => {
      setTimeout(done, 50);
    });
  }
  return {
    port: i.port,
    onDisk: () => openFiles(family(pid), `${dir}/cache`),
    stop: async () => {
      const ended = new Promise<void>((done) => {
        child.on("exit", () => done());
      });
      child.kill("SIGTERM");
      await ended;
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}
