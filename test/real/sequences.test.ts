/**
 * What a stream writer of Synapse sees of its sequence at its start never goes back, however often the primary changes:
 * two real servers, one the other's standby, change places twice. PostgreSQL alone does not promise that (the first test).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { WAIT_PY } from "../../components/synapse/scripts";
import { count } from "./helpers/counts";
import { Network, nextAddress, type Running } from "./helpers/network";
import { inImage, initDatabase, PG, query, runOn, UID } from "./helpers/postgres";
import { rootfsOf, SYNAPSE_SOURCE } from "./helpers/programs";

/** PostgreSQL's SEQ_LOG_VALS: so many values are logged ahead. */
const LOGGED_AHEAD = 32;

class Server {
  readonly ip = nextAddress();
  private readonly netns: string;
  private running?: Running;
  constructor(private readonly net: Network, readonly dir: string) {
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
    fs.writeFileSync(path.join(this.dir, "data/data/postgresql.auto.conf"), `primary_conninfo = 'host=${primary.ip} user=postgres'\nrecovery_target_timeline = 'latest'\n`);
    return this;
  }
  async start(): Promise<this> {
    this.running = this.net.spawn(this.netns, inImage("postgresql", this.dir, [`${PG}/postgres`, "-D", "/mnt/data", "-c", "logging_collector=off"], UID), "postgres");
    await this.running.until(() => /ready to accept (read-only )?connections/.test(this.running!.output), 60);
    return this;
  }
  /** In order: a standby that is connected gets everything. */
  stop(): Promise<void> { return this.running!.stop("SIGINT"); }
  sql(text: string, user = "postgres"): Promise<string> { return query(this.net, this.ip, 5432, "synapse", text, user); }
  async promote(): Promise<void> {
    await this.sql("select pg_promote(true, 30)");
    await this.running!.until(async () => (await this.sql("select pg_is_in_recovery()")) === "f", 30);
  }
  /** As a stream writer of Synapse reads its position at its start. */
  async position(): Promise<number> { return Number(await this.sql("select last_value from a_sequence")); }
  async caughtUp(standby: Server): Promise<void> {
    const to = await this.sql("select pg_current_wal_lsn()");
    await standby.running!.until(async () => (await standby.sql(`select pg_last_wal_replay_lsn() >= '${to}'`)) === "t", 30);
  }
}

describe("A sequence after two changes of primary", () => {
  let net: Network;
  beforeEach(async () => { net = await new Network().start(); });
  afterEach(() => net.close());

  /** The program that pods run, in Synapse's own image. */
  function settle(at: Server): string {
    const script = path.join(net.dir, "wait.py"), root = path.join(net.dir, "synapse-root");
    fs.mkdirSync(root, { recursive: true });
    fs.writeFileSync(script, WAIT_PY);
    const done = spawnSync("unshare", ["--mount", "bash", "-c", `mount --bind ${rootfsOf("synapse")} ${root}; mount -t tmpfs t ${root}/mnt; cp ${script} ${root}/mnt/; exec env -i PATH=/opt/synapse/bin:/usr/sbin:/usr/bin:/bin DB_HOST=${at.ip} DB_PORT=5432 chroot ${root} python /mnt/wait.py schema 20 settle`], { encoding: "utf8" });
    assert.equal(done.status, 0, done.stdout + done.stderr);
    return done.stdout;
  }

  /** A primary with Synapse's user and empty database. */
  async function started(): Promise<Server> {
    const first = await Server.primary(net).start();
    await query(net, first.ip, 5432, "postgres", "create role synapse login");
    await query(net, first.ip, 5432, "postgres", "create database synapse owner synapse");
    return first;
  }

  async function thereAndBack(before: (s: Server) => void): Promise<number[]> {
    const first = await started();
    const version = /^SCHEMA_VERSION\b[^=]*= *(\d+)/m.exec(fs.readFileSync(path.join(SYNAPSE_SOURCE, "synapse/storage/schema/__init__.py"), "utf8"))![1]!;
    await first.sql(`create table schema_version (version int); insert into schema_version values (${version}); create sequence a_sequence; create sequence unused`, "synapse");
    const second = await Server.standbyOf(net, first).follow(first).start();
    await first.caughtUp(second);
    // As Synapse makes its streams: the first value is taken at once.
    await first.sql("select nextval('a_sequence')", "synapse");
    await first.sql("checkpoint");
    before(first);
    const seen = [await first.position()];
    await first.caughtUp(second);
    await first.stop();
    await second.promote();
    before(second);
    seen.push(await second.position());
    await first.follow(second).start();
    await second.caughtUp(first);
    await second.stop();
    await first.promote();
    before(first);
    seen.push(await first.position());
    assert.equal(await first.sql("select nextval('a_sequence')", "synapse"), String(seen[2]! + 1));
    assert.equal(await first.sql("select last_value || ' ' || is_called from unused"), "1 false", "one that gave out nothing stays as it is");
    await first.stop();
    count("changes of PostgreSQL's primary", 2);
    return seen;
  }

  it("goes back by what was logged ahead, when nothing is done", async () => {
    assert.deepEqual(await thereAndBack(() => undefined), [1, 1 + LOGGED_AHEAD, 1]);
  });

  it("does not go back when each writer settles its sequences before it starts", async () => {
    const said: string[] = [];
    const seen = await thereAndBack((s) => { said.push(/sequences settled: .*/.exec(settle(s))![0]); });
    // A server that was promoted has nothing ahead of what is written: nothing to do, and no lock is taken.
    assert.deepEqual(said, ["sequences settled: 1 of 1 that were ahead, of 1", ...Array(2).fill("sequences settled: 0 of 0 that were ahead, of 1")]);
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b), "a position that was seen is never undone");
    count("sequence positions compared", seen.length);
  });

  it("waits for no sequence that is in use", async () => {
    const first = await started();
    await first.sql("create sequence a_sequence; select nextval('a_sequence'); create table schema_version (version int); insert into schema_version values (9999)", "synapse");
    const busy = query(net, first.ip, 5432, "synapse", "begin; select nextval('a_sequence'); select pg_sleep(6); commit", "synapse");
    await new Promise((r) => { setTimeout(r, 1000); });
    const said = settle(first);
    assert.match(said, /not settled: a_sequence .*lock timeout/);
    assert.match(said, /database ready/);
    await busy;
    await first.stop();
  });
});
