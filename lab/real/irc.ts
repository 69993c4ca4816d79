/** A real IRC server (ngIRCd), a person on it, and heisenbridge between it and Synapse. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { nextAddress, type Network, type Running } from "./network";
import { inImage } from "./postgres";
import { HEISENBRIDGE, rootfsOf } from "./programs";
import { until } from "../common/until";

const IRC_UID = 998,
  BRIDGE_UID = 10987;
export const IRC_PORT = 6667;

/** Starts ngIRCd in a network namespace of its own; its address. */
export async function ircServer(network: Network): Promise<string> {
  const ip = nextAddress(),
    dir = path.join(network.dir, "irc");
  fs.mkdirSync(path.join(dir, "data"), { recursive: true });
  fs.chmodSync(dir, 0o755);
  fs.writeFileSync(
    path.join(dir, "data/ngircd.conf"),
    [
      "[Global]\nName = irc.corp.test\nInfo = test\nPorts = 6667\nListen = 0.0.0.0\nMotdPhrase = hello",
      // No limit slows the sender down: what arrives late would look lost.
      "[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\nMaxJoins = 0",
      "[Options]\nDNS = no\nIdent = no\nPAM = no\n",
    ].join("\n"),
  );
  const running = network.spawn(
    network.namespace(ip),
    inImage("servers", dir, ["ngircd", "--nodaemon", "--config", "/mnt/ngircd.conf"], IRC_UID),
    "ngircd",
  );
  await running.until(() => connected(ip), 30);
  return ip;
}
const connected = (host: string): Promise<boolean> =>
  new Promise((done) => {
    const socket = net.connect(IRC_PORT, host, () => {
      socket.destroy();
      done(true);
    });
    socket.on("error", () => done(false));
  });

/** A person in one channel. */
export class IrcPerson {
  /** What others said in the channel. */
  readonly heard: Array<{ nick: string; text: string }> = [];
  readonly present = new Set<string>();
  private readonly socket: net.Socket;
  private rest = "";
  private joined = false;

  constructor(
    host: string,
    private readonly nick: string,
    private readonly channel: string,
  ) {
    this.socket = net.connect(IRC_PORT, host);
    this.socket.on("data", (data: Buffer) => {
      const lines = (this.rest + data.toString()).split("\r\n");
      this.rest = lines.pop()!;
      for (const line of lines) this.take(line);
    });
    this.write(`NICK ${nick}`, `USER ${nick} 0 * :${nick}`);
  }
  private write(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }
  private take(line: string): void {
    if (line.startsWith("PING")) return this.write(line.replace("PING", "PONG"));
    const [, nick = "", command = "", rest = ""] = /^:([^ !]+)\S* (\S+) ?(.*)$/.exec(line) ?? [];
    if (command === "001") this.write(`JOIN ${this.channel}`);
    if (command === "JOIN" && nick === this.nick) this.joined = true;
    if (command === "JOIN") this.present.add(nick);
    const said = /^(\S+) :(.*)$/.exec(rest);
    if (command === "PRIVMSG" && said?.[1] === this.channel) this.heard.push({ nick, text: said[2]! });
  }
  async start(): Promise<this> {
    await until("the channel", 30, () => (this.joined ? undefined : "not joined"), 0.1);
    return this;
  }
  say(text: string): void {
    this.write(`PRIVMSG ${this.channel} :${text}`);
  }
  close(): void {
    this.socket.destroy();
  }
}

/** heisenbridge as its container runs it, in the Python of Synapse's image. */
export class Bridge {
  private running!: Running;
  constructor(
    private readonly network: Network,
    private readonly args: { ip: string; registration: string; homeserver: string },
  ) {}
  async start(): Promise<this> {
    const { ip, registration, homeserver } = this.args;
    const dir = path.join(this.network.dir, "heisenbridge"),
      root = path.join(dir, "root");
    for (const d of [root, path.join(dir, "files")]) fs.mkdirSync(d, { recursive: true });
    fs.chmodSync(dir, 0o755);
    fs.writeFileSync(path.join(dir, "files/registration.yaml"), registration);
    const python = `PATH=/opt/synapse/bin:/usr/sbin:/usr/bin:/bin PYTHONPATH=/mnt PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp`;
    this.running = this.network.spawn(
      this.network.namespace(ip),
      [
        `mount --bind ${rootfsOf("synapse")} ${root}`,
        `mount --bind ${HEISENBRIDGE} ${root}/mnt`,
        `mount --bind ${dir}/files ${root}/srv`,
        `exec env -i ${python} chroot --userspec=${BRIDGE_UID}:${BRIDGE_UID} ${root} python -m heisenbridge -vv -c /srv/registration.yaml -l 0.0.0.0 -p 9898 ${homeserver}`,
      ].join("; "),
      "heisenbridge",
    );
    await this.running.until(() => this.log.includes("bridge is now running"), 120);
    return this;
  }
  get log(): string {
    return this.running.output;
  }
  /** Lines of messages that Synapse has acknowledged to it. */
  acknowledged(): string[] {
    const done = new Set([...this.log.matchAll(/req #(\d+) \S+ completed in \S+ with status 200/g)].map((m) => m[1]));
    return [...this.log.matchAll(/req #(\d+): PUT \S+\/send\/m\.room\.message\/\S+ (\{.*\})/g)]
      .filter((m) => done.has(m[1]))
      .flatMap((m) => String((JSON.parse(m[2]!) as { body?: string }).body).split("\n"));
  }
}
