import os, secrets, socket, sys, threading, time
import psycopg2
from synapse.storage.engines.postgres import PostgresEngine
from fresh_sessions import until_ready

ANSWER_SECONDS = 10
BEAT_SECONDS = 5
# A process that ends in order is gone from the database before its successor asks; a session of one that was killed may last a moment.
LEAVING_SECONDS = 5
# An older pod takes over only after nobody has held the lock for so long: the holder may be starting again.
FREE_SECONDS = 30
# Longer than PostgreSQL is away when its primary changes (110 s when its node froze, docs/proof/cluster.md).
ALONE_SECONDS = 180
LOCK = "%s, hashtext(%%s)" % 0x4D484131
TABLES = """
CREATE SCHEMA IF NOT EXISTS matrix_ha;
CREATE TABLE IF NOT EXISTS matrix_ha.process (name text PRIMARY KEY, pod text, number bigint, token text, since timestamptz);
CREATE TABLE IF NOT EXISTS matrix_ha.pod (process text, pod text, number bigint NOT NULL, seen timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (process, pod));
"""


def say(text):
    print("only one:", text, file=sys.stderr, flush=True)


def end(why):
    say(why + ". Ending at once")
    # Nothing that waits may still be written, and no handler may take its time.
    os._exit(1)


def ask(session, sql, arguments=()):
    cursor = session.cursor()
    cursor.execute(sql, arguments)
    until_ready(session, time.monotonic() + ANSWER_SECONDS)
    return cursor.fetchall() if cursor.description else []


class Holder:
    """One process of this name: this one, or none of its sessions."""

    def __init__(self, name, pod):
        self.name, self.pod = name, pod
        # Of this process, not of its pod: a container that starts again is another one.
        self.token = secrets.token_hex(6)
        self.arguments = self.session = None
        self.locked = self.held = False
        self.mutex = threading.Lock()

    def install(self):
        # What every session of the process is called, before the first is opened (libpq reads it).
        os.environ["PGAPPNAME"] = "%s %s" % (self.name, self.token)
        prepare = PostgresEngine.on_new_connection

        def on_new_connection(engine, db_conn):
            with self.mutex:
                if not self.held:
                    self.take({k: v for k, v in engine.config["args"].items() if not k.startswith("cp_")})
            prepare(engine, db_conn)
            self.confirm(db_conn.conn)

        PostgresEngine.on_new_connection = on_new_connection

    def confirm(self, connection):
        """A session that is opened after another process took over sees that here; one that was open before is ended by the other."""
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('application_name'), (SELECT token FROM matrix_ha.process WHERE name = %s)", (self.name,))
        session, token = cursor.fetchone()
        cursor.close()
        connection.commit()
        if token != self.token:
            end("another process is %s now" % self.name)
        if session != os.environ["PGAPPNAME"]:
            end("a session is called %r, by which a successor would not find it" % session)

    def connect(self):
        # libpq would look the name up with Python's lock held.
        address = socket.getaddrinfo(self.arguments["host"], self.arguments.get("port", 5432), type=socket.SOCK_STREAM)[0][4][0]
        session = psycopg2.connect(async_=1, hostaddr=address, **self.arguments)
        until_ready(session, time.monotonic() + ANSWER_SECONDS)
        return session

    def drop(self):
        self.locked = False
        if self.session is not None:
            self.session.close()
            self.session = None

    def try_lock(self):
        self.locked = self.locked or ask(self.session, "SELECT pg_try_advisory_lock(%s)" % LOCK, (self.name,))[0][0]
        return self.locked

    def unlock(self):
        ask(self.session, "SELECT pg_advisory_unlock(%s)" % LOCK, (self.name,))
        self.locked = False

    def number(self):
        """Of this pod, in the order in which the pods of this name first came."""
        if ask(self.session, "SELECT to_regclass('matrix_ha.pod') IS NULL OR to_regclass('matrix_ha.process') IS NULL")[0][0]:
            for statement in TABLES.strip().split(";\n"):
                ask(self.session, statement)
        ask(self.session, "INSERT INTO matrix_ha.process (name) VALUES (%s) ON CONFLICT DO NOTHING", (self.name,))
        ask(self.session, "BEGIN")
        ask(self.session, "SELECT FROM matrix_ha.process WHERE name = %s FOR UPDATE", (self.name,))
        ask(
            self.session,
            "INSERT INTO matrix_ha.pod (process, pod, number) SELECT %s, %s, coalesce(max(number), 0) + 1 FROM matrix_ha.pod WHERE process = %s ON CONFLICT DO NOTHING",
            (self.name, self.pod, self.name),
        )
        number = ask(self.session, "SELECT number FROM matrix_ha.pod WHERE process = %s AND pod = %s", (self.name, self.pod))[0][0]
        ask(self.session, "COMMIT")
        return number

    def claim(self, number, any_number):
        """Whether this is the holder now. Committed, so on a standby as well, before anybody's session is ended."""
        changed = ask(
            self.session,
            "UPDATE matrix_ha.process SET pod = %s, number = %s, token = %s, since = now() WHERE name = %s AND (number IS NULL OR number <= %s OR %s) RETURNING 1",
            (self.pod, number, self.token, self.name, number, any_number),
        )
        return bool(changed)

    def end_others(self):
        """Returns when no other process has a session under this name: all that they wrote is before what this one writes."""
        others = "FROM pg_stat_activity WHERE split_part(application_name, ' ', 1) = %s AND application_name <> %s AND usename = current_user"
        arguments = (self.name, os.environ["PGAPPNAME"])
        ended = 0
        while True:
            # Each in a transaction of its own: a transaction sees the sessions that were there when it first looked.
            told = ask(self.session, "SELECT pg_terminate_backend(pid) " + others, arguments)
            if not told:
                break
            ended = max(ended, len(told))
            time.sleep(0.2)
        if ended:
            say("ended %d sessions of the process before" % ended)

    def take(self, arguments):
        """Returns when this is the holder; nothing has been written before."""
        self.arguments = arguments
        said, free_since = None, None
        leave = time.monotonic() + LEAVING_SECONDS
        while not self.held:
            try:
                if self.session is None:
                    self.session = self.connect()
                number = self.number()
                while not self.try_lock() and time.monotonic() < leave:
                    time.sleep(0.5)
                now = time.monotonic()
                free_since = (free_since or now) if self.locked else None
                if self.claim(number, free_since is not None and now - free_since >= FREE_SECONDS):
                    self.end_others()
                    self.try_lock()
                    self.held = True
                    break
                if self.locked:
                    self.unlock()
                why = "this pod is older than the holder's: waiting"
            except (psycopg2.Error, OSError) as error:
                why = "waiting: " + str(error).strip()
                self.drop()
            if why != said:
                say(why)
                said = why
            time.sleep(1)
        say("this process is %s, of pod %d" % (self.name, number))
        threading.Thread(target=self.beat, name="only_one", daemon=True).start()

    def look(self):
        if self.session is None:
            self.session = self.connect()
        row = ask(self.session, "SELECT token FROM matrix_ha.process WHERE name = %s", (self.name,))
        if not row or row[0][0] != self.token:
            end("another process is %s now" % self.name)
        # Lost with its session, when the primary or the pooler changes. It only tells a successor that this one is there.
        self.try_lock()

    def beat(self):
        failing = None
        while True:
            time.sleep(BEAT_SECONDS)
            try:
                self.look()
                failing = None
            except Exception as error:
                self.drop()
                # From the first failure, not from the last answer: a process that only stood still asks first.
                failing = failing or time.monotonic()
                if time.monotonic() - failing >= ALONE_SECONDS:
                    end("the database has not answered for %d s: %s" % (ALONE_SECONDS, str(error).strip()))


class OnlyOne:
    @staticmethod
    def parse_config(config):
        # Here and not at the module's start, which comes after Synapse has prepared the database and read its positions.
        if not callable(getattr(PostgresEngine, "on_new_connection", None)):
            raise Exception("this Synapse does not call PostgresEngine.on_new_connection")
        pod = os.environ.get("POD_UID")
        if pod:
            Holder(os.environ["HOSTNAME"], pod).install()
        return config

    def __init__(self, config, api):
        pass
