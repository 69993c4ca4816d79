import logging, os, select, socket, threading, time, weakref
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
