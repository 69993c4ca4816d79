/**
 * Of two processes of one name never both write: Synapse's own connection pool and engine with the module, on real
 * PostgreSQL servers behind a real PgBouncer with session pooling.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { execFileSync } from "node:child_process";
import { FRESH_SESSIONS_PY, ONLY_ONE_PY } from "../../components/layers/synapse/scripts";
import { SHARED_FILES } from "../../components/layers/synapse/paths";
import { count } from "../../lab/real/counts";
import { MovableService } from "../../lab/real/movableService";
import { GATEWAY, Network, nextAddress, type Running } from "../../lab/real/network";
import { inImage, query } from "../../lab/real/postgres";
import { Server, startedFor } from "../../lab/real/postgresServer";
import { FILES_AT, pythonScript } from "../../lab/real/synapsePython";

/**
 * As Synapse starts: the configuration's modules, one session for the preparation, then the pool; and then it writes
 * all the time, as DatabasePool.runWithConnection does.
 */
const WRITE = `import os, sys, time
import attr
from twisted.internet import defer, reactor, task
from synapse.storage.database import make_conn, make_pool
from synapse.storage.engines.postgres import PostgresEngine
from only_one import OnlyOne
from fresh_sessions import FreshSessions

@attr.s(auto_attribs=True)
class Database:
    name: str
    config: dict

me = sys.argv[1]
arguments = {"host": os.environ["DB_HOST"], "port": 5432, "user": "synapse", "dbname": "synapse", "cp_min": 3, "cp_max": 3, "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 15000}
config = {"name": "psycopg2", "args": arguments}
OnlyOne.parse_config({})
engine = PostgresEngine(config)
database = Database("main", config)
with make_conn(db_config=database, engine=engine, default_txn_name="startup", server_name="test") as connection:
    cursor = connection.cursor()
    cursor.execute("INSERT INTO written (by) VALUES (?)", (me,))
    connection.commit()
print("writes", flush=True)
FreshSessions({}, None)
pool = make_pool(reactor=reactor, db_config=database, engine=engine, server_name="test")


def write(connection):
    if engine.is_connection_closed(connection):
        connection.reconnect()
    try:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO written (by) VALUES (%s)", (me,))
        # Open for a while, as transactions are: then a successor finds some under way.
        time.sleep(0.02)
        connection.commit()
    except Exception:
        try:
            connection.rollback()
        except Exception:
            pass
        raise


@defer.inlineCallbacks
def on():
    while True:
        try:
            yield pool.runWithConnection(write)
        except Exception as error:
            yield task.deferLater(reactor, 0.5)


for _ in range(3):
    reactor.callWhenRunning(on)
reactor.run()
`;

const NAME = "synapse-event-persister-0";
/** PgBouncer's view of the primary: a Service whose endpoint changes. */
const SERVICE_PORT = 5433;

describe("Two processes of one name", () => {
  let net: Network,
    first: Server,
    second: Server | undefined,
    pooler: string,
    service: MovableService,
    poolerLog: () => string;
  const running: Running[] = [];

  beforeEach(async () => {
    net = await new Network().start();
    first = await startedFor(net);
    await first.sql(
      "create table written (id bigserial, by text, at timestamptz default clock_timestamp())",
      "synapse",
    );
    service = new MovableService(first.ip);
    await service.listen(SERVICE_PORT);
    pooler = await startPooler();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(poolerLog());
    for (const r of running.splice(0)) {
      if (r.exit === undefined) process.kill(r.child.pid!, "SIGCONT");
      await r.stop("SIGKILL");
    }
    service.close();
    await net.stopAll();
    second = undefined;
    await net.close();
  });

  async function startPooler(): Promise<string> {
    const ip = nextAddress(),
      dir = path.join(net.dir, "pooler");
    fs.mkdirSync(path.join(dir, "data"), { recursive: true });
    fs.chmodSync(dir, 0o755);
    fs.writeFileSync(
      path.join(dir, "data/pgbouncer.ini"),
      `[databases]\n* = user=synapse host=${GATEWAY} port=${SERVICE_PORT}\n[pgbouncer]\nlisten_addr = *\nlisten_port = 5432\nunix_socket_dir =\nauth_type = any\nauth_file = /mnt/users\npool_mode = session\ndefault_pool_size = 50\nserver_login_retry = 1\nserver_connect_timeout = 5\nquery_wait_timeout = 30\ntcp_keepalive = 1\ntcp_keepidle = 10\ntcp_keepintvl = 5\ntcp_keepcnt = 3\n`,
    );
    fs.writeFileSync(path.join(dir, "data/users"), '"synapse" ""\n');
    const r = net.spawn(
      net.namespace(ip),
      inImage("pgbouncer", dir, ["/usr/sbin/pgbouncer", "/mnt/pgbouncer.ini"], 998),
      "pgbouncer",
    );
    poolerLog = () => r.output;
    await r.until(
      async () => (await query(net, { host: ip, port: 5432, name: "synapse", user: "synapse" }, "select 1")) === "1",
    );
    return ip;
  }

  /** A process in a pod of its own; `pod` absent: without the module's work, as before. */
  function start(by: string, pod?: string): Running & { netns: string } {
    const netns = net.namespace(nextAddress());
    const script = pythonScript(net, {
      files: {
        [SHARED_FILES.only]: ONLY_ONE_PY,
        [SHARED_FILES.sessions]: FRESH_SESSIONS_PY,
        "write.py": WRITE,
      },
      env: { DB_HOST: pooler, PYTHONPATH: FILES_AT, HOSTNAME: NAME, ...(pod ? { POD_UID: pod } : {}) },
    });
    const r = net.spawn(netns, `set -- ${FILES_AT}/write.py ${by}; ${script}`, by);
    running.push(r);
    return Object.assign(r, { netns });
  }
  const writes = (r: Running): Promise<void> => r.until(() => /^writes$/m.test(r.output), 60);
  const ended = async (r: Running, seconds = 30): Promise<void> => {
    for (const end = Date.now() + seconds * 1000; r.exit === undefined; await sleep(100))
      assert.ok(Date.now() < end, `${r.name} has not ended:\n${r.output}`);
    assert.match(r.output, /another process is synapse-event-persister-0 now/, r.output);
  };
  const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));
  const at = (): Server => (second && service.endpoint === second.ip ? second : first);
  const rows = async (by: string): Promise<number> =>
    Number(await at().sql(`select count(*) from written where by = '${by}'`));
  /** Who wrote, in order; each name once unless they wrote in turns. */
  const turns = async (): Promise<string[]> =>
    (
      await at().sql(
        "select by from (select by, lag(by) over (order by id) before, id from written) w where by is distinct from before order by id",
      )
    )
      .split("\n")
      .filter((l) => l);
  const goesOn = async (by: string): Promise<void> => {
    const before = await rows(by);
    for (const end = Date.now() + 60_000; (await rows(by)) <= before + 5; await sleep(200))
      assert.ok(Date.now() < end, `${by} writes no more`);
  };

  it("write in turns without the module: then it can go", async () => {
    const a = start("a"),
      b = start("b");
    await Promise.all([writes(a), writes(b)]);
    await sleep(2000);
    assert.ok((await turns()).length > 4);
  });

  it("both started on purpose: the newer one writes, the older has ended; started again it writes nothing", async () => {
    const a = start("a", "pod-a");
    await writes(a);
    await sleep(1500);
    const b = start("b", "pod-b");
    await writes(b);
    await ended(a);
    await goesOn("b");
    const again = start("a2", "pod-a");
    await again.until(() => /older than the holder's: waiting/.test(again.output), 60);
    await sleep(8000);
    await goesOn("b");
    assert.equal(again.exit, undefined);
    assert.deepEqual(await turns(), ["a", "b"]);
    // Its container starts again: the same pod is the holder at once.
    await b.stop("SIGKILL");
    const b2 = start("b2", "pod-b");
    await writes(b2);
    await goesOn("b2");
    // And when nobody comes back, the older one serves.
    await b2.stop("SIGKILL");
    await again.until(() => /^writes$/m.test(again.output), 90);
    assert.deepEqual(await turns(), ["a", "b", "b2", "a2"]);
    count("processes of a name in use that wrote nothing", 2);
  }).timeout(200_000);

  it("one stands still, and goes on when the other has taken over: it writes nothing more", async () => {
    const a = start("a", "pod-a");
    await writes(a);
    await sleep(1500);
    process.kill(a.child.pid!, "SIGSTOP");
    const b = start("b", "pod-b");
    await writes(b);
    await goesOn("b");
    const before = await rows("a");
    process.kill(a.child.pid!, "SIGCONT");
    await ended(a, 15);
    await goesOn("b");
    assert.equal(await rows("a"), before);
    assert.deepEqual(await turns(), ["a", "b"]);
    count("processes of a name in use that wrote nothing", 1);
  });

  it("one is cut off, and its network comes back: it writes nothing more", async () => {
    const a = start("a", "pod-a");
    await writes(a);
    await sleep(1500);
    execFileSync("ip", ["-n", a.netns, "link", "set", "eth0", "down"]);
    const b = start("b", "pod-b");
    await writes(b);
    await goesOn("b");
    const before = await rows("a");
    execFileSync("ip", ["-n", a.netns, "link", "set", "eth0", "up"]);
    execFileSync("ip", ["-n", a.netns, "route", "replace", "default", "via", GATEWAY]);
    await ended(a, 60);
    await goesOn("b");
    assert.equal(await rows("a"), before);
    assert.deepEqual(await turns(), ["a", "b"]);
    count("processes of a name in use that wrote nothing", 1);
  }).timeout(180_000);

  it("PostgreSQL's primary changes meanwhile: the holder goes on, and one that stood still does not", async () => {
    second = await Server.standbyOf(net, first).follow(first).start();
    const a = start("a", "pod-a");
    await writes(a);
    await sleep(1500);
    const change = async (from: Server, to: Server): Promise<void> => {
      await from.caughtUp(to);
      await from.stop();
      await to.promote();
      service.endpoint = to.ip;
    };
    await change(first, second);
    await goesOn("a");
    assert.equal(a.exit, undefined, "the holder was not restarted");
    await second.untilTrue("select count(*) = 1 from pg_locks where locktype = 'advisory'");
    process.kill(a.child.pid!, "SIGSTOP");
    const before = await rows("a");
    await first.follow(second).start();
    await second.caughtUp(first);
    const b = start("b", "pod-b");
    await change(second, first);
    await writes(b);
    await goesOn("b");
    process.kill(a.child.pid!, "SIGCONT");
    await ended(a, 30);
    await goesOn("b");
    assert.equal(await rows("a"), before);
    assert.deepEqual(await turns(), ["a", "b"]);
    count("processes of a name in use that wrote nothing", 1);
    count("changes of primary that a holder outlived", 1);
  }).timeout(240_000);
});
