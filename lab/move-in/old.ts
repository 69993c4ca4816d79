/**
 * The old server of a rehearsal: Synapse from PyPI on this machine's PostgreSQL, with the paths of the Debian package.
 * It runs in a mount namespace with folders of the rehearsal at /etc/matrix-synapse and /var/lib/matrix-synapse.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { capture } from "../capture";
import { CACHE_DIR } from "../common/folders";
import { until } from "../common/until";
import { Provider } from "./provider";

export const OLD_VERSION = "1.155.0";
/** Of the S3 module, whose tool copies the media: that of the stack's image. */
const S3_MODULE = "1.7.0";
const PORTS = { postgres: 15432, client: 18008, appservice: 18009, provider: 18010, redis: 16379, replication: 18100 };
export const APPSERVICE_PORT = PORTS.appservice;
const VENV = path.join(CACHE_DIR, "move-in", `synapse-${OLD_VERSION}`);
const DATABASE = { user: "synapse_user", dbname: "old_synapse" };

/** Installs it once; the cache keeps it. */
export function install(): void {
  const done = path.join(VENV, ".installed");
  if (fs.existsSync(done)) return;
  fs.mkdirSync(path.dirname(VENV), { recursive: true });
  const run = (file: string, ...args: string[]): void => void execFileSync(file, args, { stdio: "inherit" });
  run("python3", "-m", "venv", "--clear", VENV);
  // psycopg2 itself has to be compiled.
  const packages = [
    `matrix-synapse[oidc,redis]==${OLD_VERSION}`,
    "psycopg2-binary",
    `synapse-s3-storage-provider==${S3_MODULE}`,
  ];
  run(path.join(VENV, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", ...packages);
  fs.writeFileSync(done, packages.join("\n"));
}

/** The programs of this machine's newest PostgreSQL. */
function postgresBin(): { bin: string; major: number } {
  const root = "/usr/lib/postgresql";
  const [major] = (fs.existsSync(root) ? fs.readdirSync(root) : []).map(Number).sort((a, b) => b - a);
  const bin = `${root}/${major}/bin`;
  if (major === undefined || !fs.existsSync(`${bin}/initdb`))
    throw new Error("the old server needs a PostgreSQL of this machine: apt-get install postgresql");
  return { bin, major };
}

const random = (): string => crypto.randomBytes(16).toString("hex");

export interface OldOptions {
  /** Folder of everything that it writes. */ dir: string;
  /** Address at which the new cluster's pods reach this machine. */ address: string;
  /** With Redis, an event persister and two more workers. */ workers: boolean;
}

interface Worker {
  name: string;
  options: object;
}
const WORKERS: Worker[] = [
  { name: "persister1", options: {} },
  { name: "generic1", options: {} },
  { name: "sender1", options: {} },
];

export class OldServer {
  readonly pepper = random();
  readonly registrationSecret = random();
  readonly databasePassword = random();
  readonly appservice = { asToken: random(), hsToken: random() };
  readonly postgres = postgresBin();
  readonly provider: Provider;
  private readonly etc: string;
  private readonly lib: string;
  private readonly data: string;
  private database?: ChildProcess;
  private processes: ChildProcess[] = [];

  constructor(readonly options: OldOptions) {
    this.etc = path.join(options.dir, "machine/etc/matrix-synapse");
    this.lib = path.join(options.dir, "machine/var/lib/matrix-synapse");
    this.data = path.join(options.dir, "postgresql");
    this.provider = new Provider(path.join(options.dir, "provider"), options.address, PORTS.provider, {
      sub: "carol-at-corp",
      preferred_username: "carol",
      name: "Carol",
    });
  }

  /** The old machine's /, as far as it was made here. */
  get root(): string {
    return path.join(this.options.dir, "machine");
  }
  readonly url = `http://127.0.0.1:${PORTS.client}`;
  readonly postgresPort = PORTS.postgres;

  private homeserverYaml(): object {
    const { workers } = this.options;
    return {
      server_name: "local.test",
      public_baseurl: "https://matrix.local.test/",
      pid_file: "/var/lib/matrix-synapse/homeserver.pid",
      listeners: [
        {
          port: PORTS.client,
          bind_addresses: ["127.0.0.1"],
          type: "http",
          x_forwarded: true,
          resources: [{ names: ["client", "federation"] }],
        },
        ...(workers
          ? [
              {
                port: PORTS.replication,
                bind_addresses: ["127.0.0.1"],
                type: "http",
                resources: [{ names: ["replication"] }],
              },
            ]
          : []),
      ],
      database: {
        name: "psycopg2",
        args: {
          ...DATABASE,
          password: this.databasePassword,
          host: "127.0.0.1",
          port: PORTS.postgres,
          cp_min: 2,
          cp_max: 5,
        },
      },
      log_config: "/etc/matrix-synapse/log.yaml",
      media_store_path: "/var/lib/matrix-synapse/media",
      signing_key_path: "/etc/matrix-synapse/homeserver.signing.key",
      macaroon_secret_key: random(),
      form_secret: random(),
      registration_shared_secret: this.registrationSecret,
      report_stats: false,
      trusted_key_servers: [],
      federation_domain_whitelist: ["partner.test"],
      federation_custom_ca_list: ["/etc/matrix-synapse/authority.crt"],
      password_config: { pepper: this.pepper },
      app_service_config_files: ["/etc/matrix-synapse/bridge.yaml"],
      oidc_providers: [
        {
          idp_id: "corp",
          idp_name: "Corporation",
          issuer: this.provider.issuer,
          client_id: "matrix",
          client_secret: random(),
          scopes: ["openid", "profile"],
          user_mapping_provider: { config: { localpart_template: "{{ user.preferred_username }}" } },
        },
      ],
      ...(workers
        ? {
            redis: { enabled: true, host: "127.0.0.1", port: PORTS.redis },
            worker_replication_secret: random(),
            instance_map: {
              main: { host: "127.0.0.1", port: PORTS.replication },
              persister1: { host: "127.0.0.1", port: PORTS.replication + 1 },
            },
            stream_writers: { events: "persister1" },
            federation_sender_instances: ["sender1"],
          }
        : {}),
    };
  }

  private workerYaml({ name, options }: Worker, index: number): object {
    return {
      worker_app: "synapse.app.generic_worker",
      worker_name: name,
      worker_listeners: [
        {
          type: "http",
          bind_addresses: ["127.0.0.1"],
          port: PORTS.replication + 1 + index,
          resources: [{ names: name === "persister1" ? ["replication"] : ["client", "federation"] }],
        },
      ],
      worker_log_config: "/etc/matrix-synapse/log.yaml",
      ...options,
    };
  }

  private registration(): object {
    return {
      id: "bridge",
      url: `http://${this.options.address}:${PORTS.appservice}`,
      as_token: this.appservice.asToken,
      hs_token: this.appservice.hsToken,
      sender_localpart: "bridge-bot",
      rate_limited: false,
      namespaces: {
        users: [{ regex: "@bridged-.*:local\\.test", exclusive: true }],
        aliases: [],
        rooms: [],
      },
    };
  }

  /** Writes its configuration, creates its empty database, and starts both. */
  async start(): Promise<this> {
    for (const dir of [path.join(this.etc, "workers"), path.join(this.lib, "media")])
      fs.mkdirSync(dir, { recursive: true });
    const put = (name: string, content: object): void =>
      fs.writeFileSync(path.join(this.etc, name), stringify(content));
    put("homeserver.yaml", this.homeserverYaml());
    put("log.yaml", {
      version: 1,
      formatters: { plain: { format: "%(asctime)s %(name)s %(levelname)s %(message)s" } },
      handlers: { console: { class: "logging.StreamHandler", formatter: "plain" } },
      root: { level: "WARNING", handlers: ["console"] },
    });
    put("bridge.yaml", this.registration());
    fs.writeFileSync(path.join(this.etc, "authority.crt"), this.provider.authority);
    await this.provider.start();
    if (this.options.workers) WORKERS.forEach((w, i) => put(`workers/${w.name}.yaml`, this.workerYaml(w, i)));
    await this.onMachine("generate_signing_key -o /etc/matrix-synapse/homeserver.signing.key");
    await this.startDatabase();
    await this.startSynapse();
    return this;
  }

  private async startDatabase(): Promise<void> {
    const { bin } = this.postgres,
      { dir } = this.options;
    fs.mkdirSync(this.data);
    execFileSync("chown", ["postgres:", this.data]);
    for (const above of [dir, path.dirname(dir)]) fs.chmodSync(above, fs.statSync(above).mode | 0o011);
    const asPostgres = (...argv: string[]): string =>
      execFileSync("runuser", ["-u", "postgres", "--", ...argv], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    const cluster = path.join(this.data, "data");
    asPostgres(`${bin}/initdb`, "-D", cluster, "--encoding=UTF8", "--locale=C", "--auth=trust");
    // As Debian's own, with a certificate of the machine.
    const certificate = ["-keyout", `${cluster}/server.key`, "-out", `${cluster}/server.crt`, "-days", "2"];
    asPostgres("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=old", ...certificate);
    fs.appendFileSync(
      path.join(cluster, "postgresql.conf"),
      `\nlisten_addresses = '*'\nport = ${PORTS.postgres}\nunix_socket_directories = '${this.data}'\nssl = on\n`,
    );
    // The lab's nodes and pods.
    fs.appendFileSync(
      path.join(cluster, "pg_hba.conf"),
      `\nhostssl ${DATABASE.dbname} ${DATABASE.user} 10.0.0.0/8 scram-sha-256\n`,
    );
    this.database = spawn("runuser", ["-u", "postgres", "--", `${bin}/postgres`, "-D", cluster], {
      stdio: [
        "ignore",
        fs.openSync(path.join(dir, "postgresql.log"), "a"),
        fs.openSync(path.join(dir, "postgresql.log"), "a"),
      ],
    });
    await until("the old PostgreSQL", 60, () => {
      this.sql("select 1", "postgres");
      return undefined;
    });
    this.sql(`create role ${DATABASE.user} login password '${this.databasePassword}'`, "postgres");
    this.sql(
      `create database ${DATABASE.dbname} owner ${DATABASE.user} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0`,
      "postgres",
    );
  }

  /** One statement, as the superuser; columns are separated by |. */
  sql(text: string, database = DATABASE.dbname): string {
    const psql = ["-X", "-At", "-q", "-h", "127.0.0.1", "-p", String(PORTS.postgres), "-U", "postgres", "-d", database];
    return execFileSync(`${this.postgres.bin}/psql`, [...psql, "-c", text], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Shell lines of the old machine: its folders at their places, Synapse's programs on PATH. */
  private script(command: string): string[] {
    const places = ["etc", "var/lib"].map((place) => {
      const above = path.join(this.options.dir, "places", place);
      fs.mkdirSync(path.join(above, "matrix-synapse"), { recursive: true });
      return `mount -t overlay -o lowerdir=${above}:/${place} overlay /${place}; mount --bind ${this.root}/${place}/matrix-synapse /${place}/matrix-synapse`;
    });
    const enter = `set -e; ${places.join("; ")}; cd /var/lib/matrix-synapse; export PATH=${VENV}/bin:$PATH SSL_CERT_FILE=/etc/matrix-synapse/authority.crt; ${command}`;
    return ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", enter];
  }

  /** Runs commands on the old machine until they end; returns their output. */
  async onMachine(commands: string): Promise<string> {
    const { status, stdout, stderr } = await capture("unshare", this.script(commands));
    if (status !== 0) throw new Error(`on the old machine: ${stderr.trim() || stdout}`);
    return stdout;
  }

  private run(name: string, command: string): void {
    const log = fs.openSync(path.join(this.options.dir, `${name}.log`), "a");
    const child = spawn("unshare", this.script(`exec ${command}`), { stdio: ["ignore", log, log] });
    this.processes.push(child);
  }

  /** Starts all of its processes; they are ready when it returns. */
  async startSynapse(): Promise<void> {
    const shared = "--config-path /etc/matrix-synapse/homeserver.yaml";
    if (this.options.workers) this.run("redis", `redis-server --port ${PORTS.redis} --bind 127.0.0.1 --save ''`);
    this.run("homeserver", `python -m synapse.app.homeserver ${shared}`);
    await this.ready(PORTS.client);
    if (!this.options.workers) return;
    for (const { name } of WORKERS)
      this.run(
        name,
        `python -m synapse.app.generic_worker ${shared} --config-path /etc/matrix-synapse/workers/${name}.yaml`,
      );
    for (const i of WORKERS.keys()) await this.ready(PORTS.replication + 1 + i);
  }

  private async ready(port: number): Promise<void> {
    await until("the old Synapse", 600, async () => {
      const ended = this.processes.find((p) => p.exitCode !== null);
      if (ended) throw new Error(`a process of it ended with ${ended.exitCode}`);
      return (await fetch(`http://127.0.0.1:${port}/health`)).ok ? undefined : "not healthy";
    });
  }

  async stopSynapse(): Promise<void> {
    const ended = this.processes.map((p) => new Promise((resolve) => p.once("exit", resolve)));
    const running = this.processes.filter((p) => p.exitCode === null && p.signalCode === null);
    // The namespace ends with the first process in it, which gets the signal by its parent's death.
    for (const p of running) terminate(p.pid!);
    await Promise.all(ended.slice(0, running.length));
    this.processes = [];
  }

  async stop(): Promise<void> {
    await this.stopSynapse();
    this.provider.stop();
    if (!this.database) return;
    const ended = new Promise((resolve) => this.database!.once("exit", resolve));
    execFileSync(
      "runuser",
      ["-u", "postgres", "--", `${this.postgres.bin}/pg_ctl`, "stop", "-m", "fast", "-D", path.join(this.data, "data")],
      { stdio: "ignore" },
    );
    await ended;
    this.database = undefined;
  }

  /** Rows of every table, and where each sequence is. */
  counts(): Record<string, number> {
    return countsOf((text) => this.sql(text));
  }
}

/** SIGTERM to the program in the namespaces that `unshare` has made: it passes no signal on. */
function terminate(unshare: number): void {
  const children = fs.readFileSync(`/proc/${unshare}/task/${unshare}/children`, "utf8").trim();
  for (const child of children.split(" ").filter(Boolean)) process.kill(Number(child), "SIGTERM");
}

const NAMES = `select 'table', tablename from pg_tables where schemaname = 'public' union all select 'sequence', sequencename from pg_sequences where schemaname = 'public'`;

/** @param sql Runs a statement in the database. */
export function countsOf(sql: (text: string) => string): Record<string, number> {
  const names = sql(NAMES)
    .split("\n")
    .map((line) => line.split("|") as [string, string])
    .sort();
  const parts = names.map(([kind, name]) =>
    kind === "table"
      ? `select 'table ${name}', count(*) from "${name}"`
      : `select 'sequence ${name}', case when is_called then last_value else last_value - 1 end from "${name}"`,
  );
  return Object.fromEntries(
    sql(parts.join(" union all "))
      .split("\n")
      .map((line) => line.split("|"))
      .map(([what, n]) => [what!, Number(n)]),
  );
}
