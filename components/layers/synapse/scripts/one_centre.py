import concurrent.futures, os, signal, sys, time
import psycopg2

# Without this the first process of a container ignores the kubelet's signal, and the pod stays for its whole grace period.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

SELF = "@SELF@"
OTHERS = [one.split("=") for one in "@OTHERS@".split(",")]
# A data centre that is gone does not answer: the start of a process must not wait long for it.
ANSWER_SECONDS = 3
TABLES = "CREATE SCHEMA IF NOT EXISTS matrix_ha; CREATE TABLE IF NOT EXISTS matrix_ha.centre (epoch bigint PRIMARY KEY, name text NOT NULL, since timestamptz NOT NULL DEFAULT now())"


def connect(host, port, **more):
    return psycopg2.connect(
        host=host,
        port=port,
        user="synapse",
        dbname="synapse",
        connect_timeout=ANSWER_SECONDS,
        options="-c statement_timeout=%ds" % ANSWER_SECONDS,
        tcp_user_timeout=ANSWER_SECONDS * 1000,
        **more,
    )


def state(connection):
    """Whether this database can be written, and who was the last to be its primary, as which one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT pg_is_in_recovery(), to_regclass('matrix_ha.centre') IS NOT NULL")
        writable, known = cursor.fetchone()
        row = None
        if known:
            cursor.execute("SELECT epoch, name FROM matrix_ha.centre ORDER BY epoch DESC LIMIT 1")
            row = cursor.fetchone()
    connection.commit()
    return (writable,) + (row or (0, None))


def ask(other):
    name, host, port = other
    try:
        # The password is the same everywhere; the channel is bound to it, so nobody in between can answer.
        connection = connect(host, port, sslmode="require", channel_binding="require")
        try:
            return name, state(connection), None
        finally:
            connection.close()
    except psycopg2.Error as error:
        return name, None, str(error).strip().split("\n")[0]


def rival(epoch):
    """Another data centre whose database is written to, and became so after this one's, or nobody knows which was later."""
    with concurrent.futures.ThreadPoolExecutor(len(OTHERS)) as pool:
        answers = list(pool.map(ask, OTHERS))
    for name, answer, why in answers:
        if answer is None:
            print("one centre: %s does not answer: %s" % (name, why), flush=True)
        elif answer[0] and answer[1] >= epoch:
            return name
    return None


def claim(connection, epoch):
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute("INSERT INTO matrix_ha.centre (epoch, name) VALUES (%s, %s) ON CONFLICT DO NOTHING", (epoch, SELF))
    connection.commit()


def why_not(claims):
    """None where Synapse may run here, else the reason. A database that nobody can write is no rival, and neither is one that is not there."""
    connection = connect(os.environ["DB_HOST"], os.environ["DB_PORT"])
    try:
        writable, epoch, name = state(connection)
        if not writable:
            return "the database follows another data centre's: Synapse starts once it is promoted"
        mine = epoch if name == SELF else epoch + 1
        other = rival(mine)
        if other is not None:
            return (
                "the database of data centre %s is written to as well, and it was promoted later or at the same time: this one (%s) stays fenced, see docs/fail-over.md"
                % (other, SELF)
            )
        if claims and name != SELF:
            claim(connection, mine)
            print("one centre: %s is the primary, number %d" % (SELF, mine), flush=True)
        return None
    finally:
        connection.close()


def wait(deadline):
    said = None
    while True:
        try:
            why = why_not(claims=True)
        except psycopg2.Error as error:
            why = str(error).strip()
        if why is None:
            sys.exit(0)
        if why != said:
            print("one centre: waiting:", why, flush=True)
            said = why
        if time.monotonic() > deadline:
            sys.exit("one centre: gave up: " + why)
        time.sleep(1)


def watch(seconds):
    """Ends the container's first process, and with it Synapse, when another data centre has taken over."""
    while True:
        time.sleep(seconds)
        try:
            why = why_not(claims=False)
        except psycopg2.Error:
            continue
        if why is not None:
            print("one centre: ending:", why, flush=True)
            os.kill(os.getppid(), signal.SIGTERM)
            return


if sys.argv[1] == "watch":
    watch(float(sys.argv[2]))
else:
    wait(time.monotonic() + float(sys.argv[1]))
