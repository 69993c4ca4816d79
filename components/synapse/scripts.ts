/** Programs that run beside Synapse, in the Python that its image has anyway. Pure. */
import { MOUNTS } from "./paths";

/**
 * Waits, with a bound, until the database can be used. The main process needs a connection; the others need the
 * schema that it makes, and not the main process itself: they can start while it is away.
 *
 * With `settle`, for processes that write streams: PostgreSQL logs a sequence 32 values ahead of what it gave out, so a
 * standby that is promoted shows up to 32 more than the old primary did, and the old one, promoted again, less than was
 * seen meanwhile. A stream writer of Synapse takes what it sees at its start for its position: after two changes of
 * primary that goes backwards. Synapse then refuses to start (element-hq/synapse issue 18544), or, in a stream that is
 * hardly written, every /sync of a client that holds the higher position waits 10 s and returns nothing, for ever (seen in
 * `npm run test:cluster`). ALTER SEQUENCE writes the value as it is, under a lock that keeps nextval out: what a process
 * sees at its start is then on every instance.
 */
export const WAIT_PY = `import importlib.util, os, re, sys, time
import psycopg2

need_schema = sys.argv[1] == "schema"
deadline = time.monotonic() + float(sys.argv[2])
settle = sys.argv[3:] == ["settle"]
# Read, not imported: importing the module takes as much CPU time as half a worker's start.
package = importlib.util.find_spec("synapse").submodule_search_locations[0]
with open(os.path.join(package, "storage", "schema", "__init__.py")) as source:
    SCHEMA_VERSION = int(re.search(r"^SCHEMA_VERSION\\b[^=]*= *(\\d+)", source.read(), re.M).group(1))
# Who waits for this lock holds up everybody who draws from the sequence meanwhile.
LOCK_MILLISECONDS = 500


def settle_sequences(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY 1")
    every = [row[0] for row in cursor.fetchall()]
    names = []
    if every:
        # log_cnt: values that are logged and not yet given out. Where there are none, what is seen is what is written: after
        # a change of primary that is so of all, and of those that nobody has drawn from since they were last settled.
        cursor.execute(" UNION ALL ".join('SELECT $n$%s$n$ AS name, log_cnt FROM public."%s"' % (name, name) for name in every))
        names = sorted(name for name, ahead in cursor.fetchall() if ahead > 0)
    connection.commit()
    done = 0
    for name in names:
        try:
            cursor.execute("SET LOCAL lock_timeout = '%dms'" % LOCK_MILLISECONDS)
            cursor.execute('ALTER SEQUENCE public."%s" CACHE 1' % name)
            connection.commit()
            done += 1
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.InsufficientPrivilege) as error:
            # One in constant use moves past the difference by itself.
            connection.rollback()
            print("not settled:", name, str(error).strip(), flush=True)
    print("sequences settled:", done, "of", len(names), "that were ahead, of", len(every), flush=True)


said = None
while True:
    try:
        connection = psycopg2.connect(host=os.environ["DB_HOST"], port=os.environ["DB_PORT"], user="synapse", dbname="synapse", connect_timeout=3)
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT to_regclass('schema_version')")
            version = None
            if cursor.fetchone()[0] is not None:
                cursor.execute("SELECT version FROM schema_version")
                row = cursor.fetchone()
                version = row[0] if row else None
            connection.commit()
            if not need_schema or (version is not None and version >= SCHEMA_VERSION):
                # Once, and not while the main process still changes the schema.
                if settle and version is not None:
                    settle_sequences(connection)
                print("database ready, schema", version)
                sys.exit(0)
        finally:
            connection.close()
        why = "schema is %s, %s is needed: the main process has still to make it" % (version, SCHEMA_VERSION)
    except psycopg2.Error as error:
        why = str(error).strip()
    if why != said:
        print("waiting:", why, flush=True)
        said = why
    if time.monotonic() > deadline:
        sys.exit("gave up: " + why)
    time.sleep(1)
`;

/**
 * A filter of Synapse's log that ends the process when the database lacks an event which that process remembers to have
 * persisted. It keeps each room's newest events in memory and writes all of them with the next one; once one is not there,
 * no event of that room is accepted until a restart. It happens when a failover of PostgreSQL lost what it had acknowledged:
 * a primary that stood still and went on, with a standby that was still waiting for it, until it learned of its successor
 * (\`npm run test:cluster\`, node-frozen: no room took a message for six minutes, until event persisters were restarted).
 */
export const LOST_EVENTS_PY = `import logging, os, signal, sys

CONSTRAINT = "event_forward_extremities_event_id"


class EndWhenLost(logging.Filter):
    ended = False

    def filter(self, record):
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if not self.ended and getattr(getattr(error, "diag", None), "constraint_name", None) == CONSTRAINT:
            self.ended = True
            print("the database lacks an event that this process has persisted: a failover lost it. Ending, to start without it", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
        return True
`;

/**
 * A module of Synapse that lets no request wait for a session with PostgreSQL that has nobody behind it.
 *
 * One that ended while it was idle: a session ends with its pooler or with the primary behind it, and Synapse learns of it from
 * the first query: that request fails, one for each of a process's sessions (twisted.enterprise.adbapi raises ConnectionLost,
 * which Synapse's own retry does not know), also minutes later (\`npm run test:cluster\`, pooler). Synapse asks its database
 * engine before each use whether the session is closed, and opens another if so: here that question gets the true answer. On a
 * session that waits for nothing there is nothing to read, except its end.
 *
 * One whose primary stands still (a disk that hangs, a machine that is paused): its kernel goes on confirming what is sent, so
 * no time-out of TCP, of PgBouncer or of the server ends it, and whoever has asked waits until the machine moves again, also when
 * another primary has long taken over (node-frozen). So a thread looks for sessions that have been waiting for an answer, asks by
 * a new session who the primary is now, and cuts those that are with another: Synapse repeats what they were doing.
 */
export const FRESH_SESSIONS_PY = `import logging, os, select, socket, threading, time, weakref
import psycopg2
from synapse.storage.engines.postgres import PostgresEngine

logger = logging.getLogger("fresh_sessions")
# As libpq's error, or the end of the stream, arrives.
ENDED = select.POLLIN | select.POLLHUP | select.POLLERR
LOOK_SECONDS = 2
# Longer than almost every query takes; one that does take longer costs a question, not its session.
WAITING_SECONDS = 8
ANSWER_SECONDS = 10
# Its server process by the time of its start: an address could be of either family.
WHO = "SELECT extract(epoch FROM pg_postmaster_start_time())::text, pg_is_in_recovery()"

sessions = weakref.WeakKeyDictionary()
lock = threading.Lock()


def is_connection_closed(engine, connection):
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), ENDED)
    if not waiting.poll(0):
        return False
    # Something has come: a notice, or the end. The server says which. Below Twisted's wrapper, whose rollback opens a session.
    session = getattr(connection, "_connection", connection)
    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT 1")
        session.rollback()
        return False
    except psycopg2.Error:
        return True


def socket_of(session):
    return socket.socket(fileno=os.dup(session.fileno()))


def remember(session):
    with session.cursor() as cursor:
        cursor.execute(WHO)
        server, _ = cursor.fetchone()
    session.commit()
    with socket_of(session) as s, lock:
        sessions[session] = (server, s.getsockname())


def known():
    with lock:
        return list(sessions.items())


def is_waiting(session):
    try:
        return session.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_ACTIVE
    except psycopg2.Error:
        return False


def until_ready(session, end):
    while True:
        state = session.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        ready = select.poll()
        ready.register(session.fileno(), select.POLLIN if state == psycopg2.extensions.POLL_READ else select.POLLOUT)
        if not ready.poll(max(0, end - time.monotonic()) * 1000):
            raise psycopg2.OperationalError("no answer in %d s" % ANSWER_SECONDS)


def primary(like):
    """Who answers a new session, made as this one was; None when nobody does, or a standby."""
    end = time.monotonic() + ANSWER_SECONDS
    given = like.info.dsn_parameters
    # libpq would look the name up with Python's lock held: while a name server is away, the whole process would stand still.
    address = socket.getaddrinfo(given["host"], given["port"], type=socket.SOCK_STREAM)[0][4][0]
    session = psycopg2.connect(async_=1, hostaddr=address, **{k: given[k] for k in ("host", "port", "user", "dbname", "sslmode") if given.get(k)})
    try:
        until_ready(session, end)
        cursor = session.cursor()
        cursor.execute(WHO)
        until_ready(session, end)
        server, standby = cursor.fetchone()
        return None if standby else server
    finally:
        session.close()


def cut(session, name):
    try:
        with socket_of(session) as s:
            # Closed meanwhile, its number may be another socket's.
            if s.getsockname() == name:
                s.shutdown(socket.SHUT_RDWR)
                return True
    except (psycopg2.Error, OSError):
        pass
    return False


def look(waiting_since):
    now = time.monotonic()
    for session, _ in known():
        if is_waiting(session):
            waiting_since.setdefault(session, now)
        else:
            waiting_since.pop(session, None)
    long = [s for s, since in list(waiting_since.items()) if now - since >= WAITING_SECONDS]
    if not long:
        return
    for session in long:
        # Asked again when it has waited as long again.
        waiting_since[session] = now
    server = primary(long[0])
    if server:
        others = [(session, name) for session, (of, name) in known() if of != server]
        done = sum(cut(session, name) for session, name in others)
        if done:
            logger.warning("PostgreSQL has another primary now: %d sessions with the one before are cut", done)


def watch():
    waiting_since = weakref.WeakKeyDictionary()
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            look(waiting_since)
        except Exception as error:
            logger.warning("who PostgreSQL's primary is could not be asked: %s", error)


class FreshSessions:
    @staticmethod
    def parse_config(config):
        # Read by the check of a configuration too: a Synapse that asks otherwise is not deployed.
        for name in ("is_connection_closed", "on_new_connection"):
            if not callable(getattr(PostgresEngine, name, None)):
                raise Exception("this Synapse does not ask PostgresEngine.%s" % name)
        return config

    def __init__(self, config, api):
        prepare = PostgresEngine.on_new_connection

        def on_new_connection(engine, db_conn):
            prepare(engine, db_conn)
            remember(db_conn.conn)

        PostgresEngine.is_connection_closed = is_connection_closed
        PostgresEngine.on_new_connection = on_new_connection
        threading.Thread(target=watch, name="fresh_sessions", daemon=True).start()
`;

/**
 * Keeps a media pod's cache below its bound: every file is in the object store already, so the oldest may go.
 * Nothing younger than ten minutes is touched. URL preview images are in no object store and go only after a day.
 */
export const TRIM_PY = `import os, sys, time

root, bound = sys.argv[1], int(sys.argv[2])
while True:
    try:
        files, total, now = [], 0, time.time()
        for directory, _, names in os.walk(root):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    s = os.stat(path)
                except FileNotFoundError:
                    continue
                total += s.st_blocks * 512
                age = now - max(s.st_atime, s.st_mtime)
                if age > (86400 if "/url_cache" in path else 600):
                    files.append((-age, s.st_blocks * 512, path))
        if total > bound:
            for _, size, path in sorted(files):
                if total <= bound * 0.8:
                    break
                try:
                    os.unlink(path)
                    total -= size
                except FileNotFoundError:
                    pass
    except Exception as error:
        print("media cache:", error, file=sys.stderr, flush=True)
    time.sleep(60)
`;

/**
 * Reads the configuration of every class as its pod would, with Synapse's own parser, and then checks what Synapse
 * accepts in silence although nobody would do the work.
 */
export const CHECK_PY = `import json, os, sys
import yaml
from synapse.config.homeserver import HomeServerConfig

SHARED, CLASSES, EMAIL = "${MOUNTS.shared}/homeserver.yaml", "/conf/classes", "${MOUNTS.email}/email.yaml"
instances = json.loads(os.environ["INSTANCES"])
known = {name for names in instances.values() for name in names}
shared = yaml.safe_load(open(SHARED))
bad = []


def want(condition, text):
    if not condition:
        bad.append(text)


for key in ("run_background_tasks_on", "update_user_directory_from_worker", "notify_appservices_from_worker", "media_instance_running_background_jobs"):
    want(shared.get(key, None) is None or shared[key] in known, "%s names no process: %s" % (key, shared.get(key)))
for key in ("federation_sender_instances", "pusher_instances"):
    for name in shared.get(key, []):
        want(name in known, "%s names no process: %s" % (key, name))
want(shared.get("public_baseurl"), "public_baseurl is not set")

media = 0
for cls, names in sorted(instances.items()):
    files = ["-c", SHARED] + (["-c", EMAIL] if os.path.exists(EMAIL) else []) + ["-c", "%s/%s.yaml" % (CLASSES, cls)]
    name = names[0] if names else "synapse-%s-0" % cls
    if cls != "main":
        path = "/tmp/name-%s.yaml" % cls
        with open(path, "w") as f:
            f.write('worker_name: "%s"\\n' % name)
        files += ["-c", path]
    try:
        c = HomeServerConfig.load_config("check", files + ["--no-secrets-in-config"])
    except BaseException as error:
        bad.append("%s: %s: %s" % (cls, type(error).__name__, error))
        continue
    want(c.database.databases[0].config["name"] == "psycopg2", cls + ": the database is not PostgreSQL")
    want(c.redis.redis_enabled, cls + ": Redis is off, the process would die at its start")
    want((c.worker.worker_name is None) == (cls == "main"), cls + ": worker_name is wrong")
    resources = [n for l in (c.server.listeners if cls == "main" else c.worker.worker_listeners) if l.http_options for r in l.http_options.resources for n in r.names]
    want("health" in resources, cls + ": no health listener")
    want("media" not in resources or c.media.can_load_media_repo, cls + ": a media listener with the media repository off")
    want((names[0] if names else None) not in shared.get("instance_map", {}) or "replication" in resources, cls + ": in instance_map without a replication listener")
    media += "media" in resources
    print("ok", cls, " ".join(resources))
want(media > 0, "no class serves media")
for text in bad:
    print("BAD", text, file=sys.stderr)
sys.exit(1 if bad else 0)
`;
