import importlib.util, os, re, signal, sys, time
import psycopg2

# Without this the first process of a container ignores the kubelet's signal, and the pod stays for its whole grace period.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

need_schema = sys.argv[1] == "schema"
deadline = time.monotonic() + float(sys.argv[2])
settle = sys.argv[3:] == ["settle"]
# Read, not imported: importing the module takes as much CPU time as half a worker's start.
package = importlib.util.find_spec("synapse").submodule_search_locations[0]
with open(os.path.join(package, "storage", "schema", "__init__.py")) as source:
    SCHEMA_VERSION = int(re.search(r"^SCHEMA_VERSION\b[^=]*= *(\d+)", source.read(), re.M).group(1))
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
