/** Sessions with PostgreSQL without a working server: ended while idle, or with a frozen primary. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { FRESH_SESSIONS_PY } from "../../components/layers/synapse/scripts";
import { SHARED_FILES } from "../../components/layers/synapse/paths";
import { count } from "../../lab/real/counts";
import { MovableService } from "../../lab/real/movableService";
import { GATEWAY, Network } from "../../lab/real/network";
import { Server, startedFor } from "../../lab/real/postgresServer";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";

/**
 * Twisted's pool and Synapse's engine, asked as Synapse's DatabasePool.runWithConnection does: is it closed, then open
 * another; run; a failed query is rolled back through Twisted's wrapper. Six sessions; then the server ends all of
 * them; then six more queries, on each session one.
 */
const USE = `import os, sys, threading
import psycopg2
from twisted.enterprise import adbapi
from twisted.internet import defer, reactor, task
from synapse.storage.engines.postgres import PostgresEngine

SESSIONS = 6
if sys.argv[1] == "module":
    from fresh_sessions import FreshSessions
    FreshSessions(FreshSessions.parse_config({}), None)
arguments = {"host": os.environ["DB_HOST"], "user": "synapse", "dbname": "synapse"}
pool = adbapi.ConnectionPool("psycopg2", cp_reactor=reactor, cp_min=SESSIONS, cp_max=SESSIONS, cp_reconnect=True, **arguments)
engine = PostgresEngine({"args": {}})
together = threading.Barrier(SESSIONS)


def use(connection):
    together.wait(20)
    if engine.is_connection_closed(connection):
        connection.reconnect()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        connection.commit()
        return pid
    except psycopg2.OperationalError:
        connection.rollback()
        raise


def all_at_once():
    return defer.DeferredList([pool.runWithConnection(use) for _ in range(SESSIONS)], consumeErrors=True)


@defer.inlineCallbacks
def main():
    try:
        first = {pid for ok, pid in (yield all_at_once()) if ok}
        again = {pid for ok, pid in (yield all_at_once()) if ok}
        if sys.argv[2] == "ended":
            psycopg2.connect(**arguments).cursor().execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) pid", (list(first),))
        yield task.deferLater(reactor, 1)
        results = yield all_at_once()
        third = {pid for ok, pid in results if ok}
        print("kept", len(first & again), "failed", sum(not ok for ok, _ in results), "the same", len(first & third), "others", len(third - first), flush=True)
    finally:
        reactor.stop()


reactor.callWhenRunning(main)
reactor.run()
`;

describe("A session that ended while it was idle", () => {
  let net: Network, at: Server;
  before(async () => {
    net = await new Network().start();
    at = await startedFor(net);
    await at.sql("grant pg_signal_backend to synapse");
  });
  after(async () => {
    await at.stop();
    await net.close();
  });
  const use = async (module: string, what: string): Promise<string> => {
    const done = await synapsePython(net, {
      files: { [SHARED_FILES.sessions]: FRESH_SESSIONS_PY, "use.py": USE },
      env: { DB_HOST: at.ip, PYTHONPATH: FILES_AT },
      args: [`${FILES_AT}/use.py`, module, what],
    });
    assert.equal(done.status, 0, done.output);
    return /kept .*/.exec(done.output)?.[0] ?? done.output;
  };

  it("fails a request each, as Synapse comes", async () => {
    assert.equal(
      await use("plain", "ended"),
      "kept 6 failed 6 the same 0 others 0",
      "if this passes without the module, the module can go",
    );
  });

  it("is replaced before it is used", async () => {
    assert.equal(await use("module", "ended"), "kept 6 failed 0 the same 0 others 6");
    count("ended sessions replaced without a failed request", 6);
  });

  it("stays when it has not ended", async () => {
    assert.equal(await use("module", "alive"), "kept 6 failed 0 the same 6 others 0");
  });
});

/**
 * Three sessions; two run a query when the server freezes, the third is idle. Prints the answers and their servers
 * until each has had an answer or the time is over.
 */
const WAIT = `import os, sys, time
import psycopg2
from twisted.enterprise import adbapi
from twisted.internet import defer, reactor, threads
from synapse.storage.database import LoggingDatabaseConnection
from synapse.storage.engines.postgres import PostgresEngine

mode, seconds = sys.argv[1], int(sys.argv[2])
if mode == "module":
    from fresh_sessions import FreshSessions
    FreshSessions(FreshSessions.parse_config({}), None)
engine = PostgresEngine({"args": {}})


def opened(connection):
    engine.on_new_connection(LoggingDatabaseConnection(conn=connection, engine=engine, default_txn_name="opened", server_name="test"))


pool = adbapi.ConnectionPool("psycopg2", cp_reactor=reactor, cp_min=3, cp_max=3, cp_reconnect=True, cp_openfun=opened,
                             host=os.environ["DB_HOST"], port=os.environ["DB_PORT"], user="synapse", dbname="synapse")


def use(connection, rest):
    if engine.is_connection_closed(connection):
        connection.reconnect()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT host(inet_server_addr())")
        server = cursor.fetchone()[0]
        connection.commit()
        time.sleep(rest)
        return server
    except psycopg2.OperationalError:
        connection.rollback()
        raise


def said(what):
    open("${FILES_AT}/%s-%s" % (mode, what), "w").close()


def until(what):
    while not os.path.exists("${FILES_AT}/" + what):
        time.sleep(0.1)


@defer.inlineCallbacks
def main():
    # The rest keeps each busy until all three are open.
    yield defer.DeferredList([pool.runWithConnection(use, 1) for _ in range(3)])
    said("opened")
    yield threads.deferToThread(until, "frozen")
    started = time.monotonic()
    asked = defer.DeferredList([pool.runWithConnection(use, 0) for _ in range(2)], consumeErrors=True)
    reactor.callLater(1, said, "asked")
    results = yield asked
    first = sorted(result if ok else "failed" for ok, result in results)
    results = yield defer.DeferredList([pool.runWithConnection(use, 1) for _ in range(3)], consumeErrors=True)
    print("two that asked:", *first, "- then:", *[result if ok else "failed" for ok, result in results], flush=True)
    print("after %.0f s" % (time.monotonic() - started), flush=True)
    os._exit(0)


def over():
    print("still waiting", flush=True)
    os._exit(0)


reactor.callWhenRunning(main)
reactor.callLater(seconds, over)
reactor.run()
`;

describe("A session with a frozen primary while another takes over", () => {
  let net: Network, first: Server, second: Server, service: MovableService;
  const PORT = 6432;
  before(async () => {
    net = await new Network().start();
    first = await startedFor(net);
    second = await Server.standbyOf(net, first).follow(first).start();
    await first.caughtUp(second);
    service = new MovableService(first.ip);
    await service.listen(PORT);
  });
  after(async () => {
    first.thaw();
    service.close();
    await first.stop();
    await second.stop();
    await net.close();
  });

  it("is cut, and what it did is answered by the other; without the module it waits", async () => {
    const start = (mode: string, seconds: number) =>
      synapsePython(net, {
        files: { [SHARED_FILES.sessions]: FRESH_SESSIONS_PY, "wait.py": WAIT },
        env: { DB_HOST: GATEWAY, DB_PORT: String(PORT), PYTHONPATH: FILES_AT },
        args: [`${FILES_AT}/wait.py`, mode, String(seconds)],
      });
    const files = path.join(net.dir, "synapse-files");
    const said = async (what: string): Promise<void> => {
      for (
        const end = Date.now() + 60_000;
        !["plain", "module"].every((m) => fs.existsSync(path.join(files, `${m}-${what}`)));
        await new Promise((r) => setTimeout(r, 100))
      )
        assert.ok(Date.now() < end, `no server ${what}`);
    };
    const plain = start("plain", 50),
      module = start("module", 120);
    await said("opened");
    first.freeze();
    fs.writeFileSync(path.join(files, "frozen"), "");
    await said("asked");
    await second.promote();
    // Longer than until the module asks for the primary: it gets no answer, and cuts nothing.
    await new Promise((r) => setTimeout(r, 12_000));
    service.endpoint = second.ip;
    const done = await module;
    assert.match(
      done.output,
      new RegExp(`two that asked: failed failed - then: ${Array(3).fill(second.ip.replaceAll(".", "[.]")).join(" ")}`),
      done.output,
    );
    assert.match((await plain).output, /still waiting/, "if this passes without the module, this part of it can go");
    count("sessions with a primary that stands still, cut when there was another", 3);
  }).timeout(200_000);
});
