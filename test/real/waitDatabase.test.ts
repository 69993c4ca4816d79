/**
 * The program that waits for the database before Synapse starts, against real servers.
 *
 * The position of a sequence that a stream writer of Synapse reads at its start never goes back, however often the
 * primary changes: two real servers, one the other's standby, change places twice. PostgreSQL alone does not promise
 * that (the first test).
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { WAIT_PY } from "../../components/layers/synapse/scripts";
import { count } from "../../lab/real/counts";
import { GATEWAY, Network } from "../../lab/real/network";
import { Server, startedFor } from "../../lab/real/postgresServer";
import { SYNAPSE_SOURCE } from "../../lab/real/programs";
import { FILES_AT, synapsePython, toldToEnd } from "../../lab/real/synapsePython";

/** PostgreSQL's SEQ_LOG_VALS: so many values are logged ahead. */
const LOGGED_AHEAD = 32;

describe("A sequence after two changes of primary", () => {
  let net: Network;
  beforeEach(async () => {
    net = await new Network().start();
  });
  afterEach(() => net.close());

  async function settle(at: Server): Promise<string> {
    const done = await synapsePython(net, {
      files: { "wait.py": WAIT_PY },
      env: { DB_HOST: at.ip, DB_PORT: "5432" },
      args: [`${FILES_AT}/wait.py`, "schema", "20", "settle"],
    });
    assert.equal(done.status, 0, done.output);
    return done.output;
  }

  async function thereAndBack(before: (s: Server) => Promise<void>): Promise<number[]> {
    const first = await startedFor(net);
    const version = /^SCHEMA_VERSION\b[^=]*= *(\d+)/m.exec(
      fs.readFileSync(path.join(SYNAPSE_SOURCE, "synapse/storage/schema/__init__.py"), "utf8"),
    )![1]!;
    await first.sql(
      `create table schema_version (version int); insert into schema_version values (${version}); create sequence a_sequence; create sequence unused`,
      "synapse",
    );
    const second = await Server.standbyOf(net, first).follow(first).start();
    await first.caughtUp(second);
    // As Synapse makes its streams: the first value is taken at once.
    await first.sql("select nextval('a_sequence')", "synapse");
    await first.sql("checkpoint");
    await before(first);
    const seen = [await first.position()];
    await first.caughtUp(second);
    await first.stop();
    await second.promote();
    await before(second);
    seen.push(await second.position());
    await first.follow(second).start();
    await second.caughtUp(first);
    await second.stop();
    await first.promote();
    await before(first);
    seen.push(await first.position());
    assert.equal(await first.sql("select nextval('a_sequence')", "synapse"), String(seen[2]! + 1));
    assert.equal(
      await first.sql("select last_value || ' ' || is_called from unused"),
      "1 false",
      "one that gave out nothing stays as it is",
    );
    await first.stop();
    count("changes of PostgreSQL's primary", 2);
    return seen;
  }

  it("goes back by what was logged ahead, when nothing is done", async () => {
    assert.deepEqual(await thereAndBack(async () => undefined), [1, 1 + LOGGED_AHEAD, 1]);
  });

  it("does not go back when each writer settles its sequences before it starts", async () => {
    const said: string[] = [];
    const seen = await thereAndBack(async (s) => {
      said.push(/sequences settled: .*/.exec(await settle(s))![0]);
    });
    // A server that was promoted has nothing ahead of what is written: nothing to do, and no lock is taken.
    assert.deepEqual(said, [
      "sequences settled: 1 of 1 that were ahead, of 1",
      ...Array(2).fill("sequences settled: 0 of 0 that were ahead, of 1"),
    ]);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
      "a position that was seen is never undone",
    );
    count("sequence positions compared", seen.length);
  });

  it("waits for no sequence that is in use", async () => {
    const first = await startedFor(net);
    await first.sql(
      "create sequence a_sequence; select nextval('a_sequence'); create table schema_version (version int); insert into schema_version values (9999)",
      "synapse",
    );
    const busy = first
      .sql("begin; select nextval('a_sequence'); select pg_sleep(600)", "synapse")
      .catch(() => undefined);
    await first.untilTrue("select count(*) > 0 from pg_locks where relation = 'a_sequence'::regclass and granted");
    const said = await settle(first);
    assert.match(said, /not settled: a_sequence .*lock timeout/);
    assert.match(said, /database ready/);
    await first.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()",
    );
    await busy;
    await first.stop();
  });
});

describe("Waiting for the database", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  it("ends when it is told to while it waits, as the first process of its container too", async () => {
    // Nothing listens there.
    const r = await toldToEnd(
      net,
      {
        files: { "wait.py": WAIT_PY },
        env: { DB_HOST: GATEWAY, DB_PORT: "1" },
        args: [`${FILES_AT}/wait.py`, "schema", "60"],
      },
      "waiting:",
    );
    assert.equal(r.status, 143, r.output);
    assert.doesNotMatch(r.output, /gave up/);
    count("waiting processes that ended when told to", 1);
  });
});
