/**
 * A process of Synapse that remembers an event which the database lacks ends, so that it starts without it; for nothing
 * else.
 */
import assert from "node:assert/strict";
import { LOST_EVENTS_PY } from "../../components/layers/synapse/scripts";
import { SHARED_FILES } from "../../components/layers/synapse/paths";
import { renderLogYaml } from "../../components/layers/synapse/workerYaml";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { startedFor, type Server } from "../../lab/real/postgresServer";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";

/**
 * Writes as Synapse does: the event and its room's newest events, checked at the commit; and logs what goes wrong as
 * its HTTP server does.
 */
const PERSIST = `import logging, logging.config, os, signal, sys
import psycopg2, yaml

logging.config.dictConfig(yaml.safe_load(open("${FILES_AT}/${SHARED_FILES.log}")))
old = logging.getLogRecordFactory()
logging.setLogRecordFactory(lambda *a, **k: setattr(r := old(*a, **k), "request", "-") or r)
stopped = []
signal.signal(signal.SIGTERM, lambda *a: stopped.append(1))
connection = psycopg2.connect(host=os.environ["DB_HOST"], user="synapse", dbname="synapse")
for newest in sys.argv[1:]:
    try:
        cursor = connection.cursor()
        for event in newest.split(","):
            table, name = event.split(":")
            cursor.execute("INSERT INTO %s VALUES (%%s)" % table, (name,))
        connection.commit()
    except psycopg2.Error:
        connection.rollback()
        logging.getLogger("synapse.http.server").exception("Failed handle request via 'ReplicationSendEventsRestServlet'")
    if stopped:
        sys.exit("stopped in order")
print("still there", flush=True)
`;

describe("An event that a failover lost", () => {
  let net: Network, at: Server;
  before(async () => {
    net = await new Network().start();
    at = await startedFor(net);
    // The constraints of Synapse's schema by their names there.
    await at.sql(
      "create table events (event_id text primary key); create table event_forward_extremities (event_id text constraint event_forward_extremities_event_id references events deferrable initially deferred); create table event_edges (event_id text constraint event_edges_event_id_fkey references events)",
      "synapse",
    );
  });
  after(async () => {
    await at.stop();
    await net.close();
  });

  const persist = (...batches: string[]): ReturnType<typeof synapsePython> =>
    synapsePython(net, {
      files: { [SHARED_FILES.lost]: LOST_EVENTS_PY, [SHARED_FILES.log]: renderLogYaml("INFO"), "persist.py": PERSIST },
      env: { DB_HOST: at.ip, PYTHONPATH: FILES_AT },
      args: [`${FILES_AT}/persist.py`, ...batches],
    });

  it("ends the process that still counts it among the newest of its room", async () => {
    const done = await persist(
      "events:a,event_forward_extremities:a",
      "events:b,event_forward_extremities:b,event_forward_extremities:lost",
      "events:c,event_forward_extremities:c",
    );
    assert.match(done.output, /violates foreign key constraint "event_forward_extremities_event_id"/);
    assert.equal(
      done.output.match(/the database lacks an event that this process has persisted/g)?.length,
      1,
      done.output,
    );
    assert.doesNotMatch(done.output, /still there/);
    assert.match(done.output, /stopped in order/, "by the signal that Synapse takes as the kubelet's");
    count("processes ended for an event that the database lacks", 1);
  });

  it("ends no process for another error of the database", async () => {
    const done = await persist("events:d", "events:d", "event_edges:lost");
    assert.match(done.output, /duplicate key/);
    assert.match(done.output, /event_edges_event_id_fkey/);
    assert.match(done.output, /still there/);
    assert.equal(done.status, 0, done.output);
  });
});
