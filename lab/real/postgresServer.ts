/** A PostgreSQL server of the image in a network namespace of its own, as a primary or as another one's standby. */
import * as fs from "node:fs";
import * as path from "node:path";
import { nextAddress, type Network, type Running } from "./network";
import { inImage, initDatabase, PG, query, runOn, UID } from "./postgres";

export class Server {
  readonly ip = nextAddress();
  private readonly netns: string;
  private running?: Running;
  constructor(
    private readonly net: Network,
    readonly dir: string,
  ) {
    this.netns = net.namespace(this.ip);
    fs.chmodSync(dir, 0o755);
  }
  static primary(net: Network): Server {
    const dir = path.join(net.dir, `first-${nextAddress()}`);
    fs.mkdirSync(dir);
    const data = initDatabase(net, path.join(dir, "data"));
    fs.appendFileSync(path.join(data, "postgresql.conf"), "wal_keep_size = '1GB'\n");
    return new Server(net, dir);
  }
  /** A standby made from a running primary. */
  static standbyOf(net: Network, primary: Server): Server {
    const dir = path.join(net.dir, `second-${nextAddress()}`);
    fs.mkdirSync(path.join(dir, "data"), { recursive: true });
    fs.chownSync(path.join(dir, "data"), UID, UID);
    runOn(net, path.join(dir, "data"), `pg_basebackup -D /mnt/data -h ${primary.ip} -U postgres --checkpoint=fast`);
    return new Server(net, dir);
  }
  follow(primary: Server): this {
    fs.writeFileSync(path.join(this.dir, "data/data/standby.signal"), "");
    fs.writeFileSync(
      path.join(this.dir, "data/data/postgresql.auto.conf"),
      `primary_conninfo = 'host=${primary.ip} user=postgres'\nrecovery_target_timeline = 'latest'\n`,
    );
    return this;
  }
  async start(): Promise<this> {
    this.running = this.net.spawn(
      this.netns,
      inImage("postgresql", this.dir, [`${PG}/postgres`, "-D", "/mnt/data", "-c", "logging_collector=off"], UID),
      "postgres",
    );
    await this.running.until(() => /ready to accept (read-only )?connections/.test(this.running!.output), 60);
    return this;
  }
  /** In order: a standby that is connected gets everything. */
  stop(): Promise<void> {
    return this.running!.stop("SIGINT");
  }
  /** As when its machine loses power: the next start recovers from the log. */
  async kill(): Promise<void> {
    for (const pid of this.processes()) process.kill(pid, "SIGKILL");
    await this.running!.ended;
  }
  /** Its processes; each backend is a session of its own, so no signal to a group reaches them. */
  private processes(): number[] {
    const postmaster = this.running!.child.pid!;
    const parent = (pid: string): number => {
      try {
        return Number(
          fs
            .readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /, "")
            .split(" ")[1],
        );
      } catch {
        return 0;
      }
    };
    return [
      postmaster,
      ...fs
        .readdirSync("/proc")
        .filter((p) => /^\d+$/.test(p) && parent(p) === postmaster)
        .map(Number),
    ];
  }
  /** Freezes it: the kernel still acknowledges packets, but no process answers. */
  freeze(): void {
    for (const pid of this.processes()) process.kill(pid, "SIGSTOP");
  }
  thaw(): void {
    for (const pid of this.processes()) process.kill(pid, "SIGCONT");
  }
  sql(text: string, user = "postgres"): Promise<string> {
    return query(this.net, { host: this.ip, port: 5432, name: "synapse", user }, text);
  }
  async promote(): Promise<void> {
    await this.sql("select pg_promote(true, 60)");
    await this.untilTrue("select not pg_is_in_recovery()");
  }
  /** The position that a stream writer of Synapse reads when it starts. */
  async position(): Promise<number> {
    return Number(await this.sql("select last_value from a_sequence"));
  }
  async caughtUp(standby: Server): Promise<void> {
    const to = await this.sql("select pg_current_wal_lsn()");
    await standby.untilTrue(`select pg_last_wal_replay_lsn() >= '${to}'`);
  }
  /** For a minute at most. */
  untilTrue(question: string): Promise<void> {
    return this.running!.until(async () => (await this.sql(question)) === "t", 60);
  }
}

/** A primary with Synapse's user and empty database. */
export async function startedFor(net: Network): Promise<Server> {
  const first = await Server.primary(net).start();
  const own = { host: first.ip, port: 5432, name: "postgres" };
  await query(net, own, "create role synapse login");
  await query(net, own, "create database synapse owner synapse");
  return first;
}
