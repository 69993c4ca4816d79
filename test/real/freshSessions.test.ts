/** Sessions with PostgreSQL that ended while nobody used them: Synapse opens others, and no request fails for it. */
import assert from "node:assert/strict";
import { FRESH_SESSIONS_PY } from "../../components/synapse/scripts";
import { SHARED_FILES } from "../../components/synapse/paths";
import { count } from "./helpers/counts";
import { Network } from "./helpers/network";
import { startedFor, type Server } from "./helpers/postgresServer";
import { FILES_AT, synapsePython } from "./helpers/synapsePython";

/**
 * Twisted's pool and Synapse's engine, asked as Synapse's DatabasePool.runWithConnection does: is it closed, then open another;
 * run; a failed query is rolled back through Twisted's wrapper. Six sessions; then the server ends all of them; then six more
 * queries, on each session one.
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

describe("A session that ended while nobody used it", () => {
  let net: Network, at: Server;
  before(async () => {
    net = await new Network().start();
    at = await startedFor(net);
    await at.sql("grant pg_signal_backend to synapse");
  });
  after(async () => { await at.stop(); net.close(); });
  const use = (module: string, what: string): string => {
    const done = synapsePython(net, { [SHARED_FILES.sessions]: FRESH_SESSIONS_PY, "use.py": USE }, { DB_HOST: at.ip, PYTHONPATH: FILES_AT }, [`${FILES_AT}/use.py`, module, what]);
    assert.equal(done.status, 0, done.output);
    return /kept .*/.exec(done.output)?.[0] ?? done.output;
  };

  it("fails a request each, as Synapse comes", () => {
    assert.equal(use("plain", "ended"), "kept 6 failed 6 the same 0 others 0", "if this passes without the module, the module can go");
  });

  it("is replaced before it is used", () => {
    assert.equal(use("module", "ended"), "kept 6 failed 0 the same 0 others 6");
    count("ended sessions replaced without a failed request", 6);
  });

  it("stays when it has not ended", () => {
    assert.equal(use("module", "alive"), "kept 6 failed 0 the same 6 others 0");
  });
});
