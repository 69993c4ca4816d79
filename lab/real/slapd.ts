/** A real LDAP directory: Debian's slapd, at all addresses of the test's own network. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { until } from "../common/until";
import { inImage } from "./postgres";

export interface Entry {
  dn: string;
  attributes: Record<string, string | string[]>;
}
export interface DirectoryArgs {
  /** A new folder is made there. */
  dir: string;
  suffix: string;
  /** Distinguished name of the account that may read. */
  reader: string;
  entries: Entry[];
  ports: { ldap: number; ldaps?: number };
  /** Without it, it speaks in clear only. */
  tls?: { certificate: string; privateKey: string };
}

const configuration = ({ suffix, reader, tls }: DirectoryArgs): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel stats
${tls ? "TLSCertificateFile /mnt/server.crt\nTLSCertificateKeyFile /mnt/server.key\n" : ""}
database mdb
suffix "${suffix}"
directory /mnt/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader}" read by * auth
`;

const ldif = ({ entries }: DirectoryArgs): string =>
  entries
    .map(({ dn, attributes }) =>
      [
        `dn: ${dn}`,
        ...Object.entries(attributes).flatMap(([name, values]) => [values].flat().map((v) => `${name}: ${v}`)),
      ].join("\n"),
    )
    .join("\n\n");

export class Directory {
  private child?: ChildProcess;
  private readonly log: string;

  constructor(private readonly args: DirectoryArgs) {
    const { dir, tls } = args;
    const data = path.join(dir, "data");
    fs.mkdirSync(path.join(data, "db"), { recursive: true });
    fs.writeFileSync(path.join(data, "slapd.conf"), configuration(args));
    fs.writeFileSync(path.join(data, "entries.ldif"), `${ldif(args)}\n`);
    if (tls) {
      fs.writeFileSync(path.join(data, "server.crt"), tls.certificate);
      fs.writeFileSync(path.join(data, "server.key"), tls.privateKey);
    }
    this.log = path.join(dir, "log");
    execFileSync("unshare", this.command(["slapadd", "-f", "/mnt/slapd.conf", "-l", "/mnt/entries.ldif"]), {
      stdio: "pipe",
    });
  }
  private command(argv: string[]): string[] {
    return ["--mount", "bash", "-c", inImage("servers", this.args.dir, argv, 0)];
  }
  async start(): Promise<this> {
    const { ldap, ldaps } = this.args.ports;
    const at = [`ldap://:${ldap}/`, ...(ldaps === undefined ? [] : [`ldaps://:${ldaps}/`])].join(" ");
    const out = fs.openSync(this.log, "a");
    this.child = spawn("unshare", this.command(["slapd", "-d", "stats", "-f", "/mnt/slapd.conf", "-h", `'${at}'`]), {
      stdio: ["ignore", out, out],
    });
    fs.closeSync(out);
    await until("slapd", 30, () => this.answers(ldap), 0.1);
    return this;
  }
  private answers(port: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("connect", () => resolve(undefined));
      socket.on("error", () => resolve(this.output));
      socket.on("close", () => socket.destroy());
      socket.on("connect", () => socket.end());
    });
  }
  /** What it did: connections, binds, searches. */
  get output(): string {
    return fs.readFileSync(this.log, "utf8");
  }
  async stop(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}
