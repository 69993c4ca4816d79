/** Programs that run beside Synapse, in the Python that its image has anyway. Pure. */
import { scriptFrom, verbatim } from "../../../core/scripts";
import { otherCentres, type DataCentre } from "../../../domain/dataCentre";
import { MOUNTS } from "../paths";

/**
 * Waits, with a bound, until the database can be used. The main process needs a connection; the others need the
 * schema that it makes, and not the main process itself: they can start while it is away.
 *
 * With `settle`, for processes that write streams: PostgreSQL logs a sequence 32 values ahead of what it gave out, so a
 * promoted standby shows up to 32 more than the old primary did, and the old one, when it is promoted again, shows less
 * than was seen meanwhile. A stream writer of Synapse takes the value that it sees at its start as its position: after
 * two changes of primary the position goes backwards. Synapse then refuses to start (element-hq/synapse issue 18544),
 * or, in a stream that is hardly written, every /sync of a client that holds the higher position waits 10 s and returns
 * nothing, for ever (seen in `npm run test:cluster`). ALTER SEQUENCE writes the exact value, under a lock that keeps
 * nextval out: then every instance has the value that a process sees at its start.
 */
export const WAIT_PY = scriptFrom(__dirname, "wait_database.py");

/**
 * Lets Synapse run in one data centre, whatever its own stack says: what decides is in the databases. Whoever becomes
 * the primary writes that down, with a number one higher than the last, before its first process of Synapse starts; its
 * followers get it with all else. A process starts where the database can be written and no other data centre's, that
 * can be written too, has the same number or a higher one. So a data centre that was lost and comes back with its old
 * settings starts nothing once it can see its successor; and its writers end when they see it later (`watch`). A local
 * change of PostgreSQL's primary, or of its timeline, changes no number.
 *
 * A data centre that does not answer hinders nobody: with its site gone, the other must be able to start. That two do
 * not see each other and both have clients, this cannot know; docs/fail-over.md says what fences then.
 */
export const oneCentrePy = (dataCentre: DataCentre): string =>
  scriptFrom(__dirname, "one_centre.py", {
    SELF: dataCentre.self,
    OTHERS: otherCentres({ dataCentre })
      .map(({ name, stream }) => [name, stream.host, stream.port].join("="))
      .join(","),
  });

/**
 * A filter of Synapse's log that ends the process when the database lacks an event that the process has persisted. A
 * process keeps each room's newest events in memory and writes all of them with the next one; once one is missing, it
 * accepts no event of that room until a restart. This happens when a failover of PostgreSQL loses acknowledged writes:
 * a primary stood still and went on, with a standby that was still waiting for it, until it learned of its successor
 * (`npm run test:cluster`, node-frozen: no room took a message for six minutes, until the event persisters were
 * restarted).
 */
export const LOST_EVENTS_PY = scriptFrom(__dirname, "lost_events.py");

/**
 * A module of Synapse that lets no request wait for a PostgreSQL session whose server no longer answers. There are two
 * kinds.
 *
 * A session that ended while it was idle: it ends with its pooler or with the primary behind it, and Synapse learns of
 * that from the first query. That request fails, one for each of a process's sessions (twisted.enterprise.adbapi raises
 * ConnectionLost, which Synapse's own retry does not know), even minutes later (`npm run test:cluster`, pooler). Before
 * each use Synapse asks its database engine whether the session is closed, and opens another if so: here that question
 * gets the true answer. On a session that waits for nothing there is nothing to read, except its end.
 *
 * A session whose primary stands still (a disk that hangs, a machine that is paused): the machine's kernel goes on
 * confirming what is sent, so no time-out of TCP, of PgBouncer or of the server ends the session. The request waits
 * until the machine goes on, even when another primary has long taken over (node-frozen). So a thread looks for
 * sessions that have been waiting for an answer, asks through a new session which server is the primary now, and cuts
 * those with another server: Synapse repeats their transactions.
 */
export const FRESH_SESSIONS_PY = scriptFrom(__dirname, "fresh_sessions.py");

/**
 * A module of Synapse that lets one process of each name use the database, whatever Kubernetes, a kubelet or a person
 * starts. Synapse itself refuses no second process, and two would damage data. With it a pod of a lost node may be
 * replaced while nobody knows whether its machine still runs (replace_lost.py).
 *
 * Safe is only this, and no clock is part of it. A table names the holder of each name by a token that every process
 * makes for itself. Who takes over (1) writes its token there and commits, so a synchronous standby has it as well; (2)
 * then ends every session of another process under that name and waits until none is left; (3) only then opens its
 * first session for Synapse. And every new session reads the token before Synapse gets it: a process that lost its name
 * ends at once. A session that was open before (1) is found by (2), one that is opened later reads the new token; so
 * whatever the old process wrote is committed or rolled back before the new one reads its first position. A session's
 * `application_name` tells whose it is: libpq sends it at the start (PGAPPNAME), and PgBouncer sets it on the server's
 * session before that client's first query. With session pooling nothing else gets that server's session meanwhile. An
 * idle session of the pooler may still have the old name: ended, the pooler opens another.
 *
 * Who may take over: pods are numbered as they first come to the database, and a pod takes over from one with a smaller
 * number. So a pod that a kubelet starts again on a machine that was cut off does not take its name back from its
 * successor. An older pod does so only after the name was free for 30 s; a newer one that had only been starting takes
 * it back. Whether it is free says an advisory lock in a session of its own, through which a process also asks every
 * few seconds whether it is still the holder. That is for speed, and for what is not in the database (requests answered
 * from a cache, pushes): a process that stood still ends within seconds, before anybody asks it something. One that
 * gets no answer for three minutes ends too; a change of PostgreSQL's primary is shorter, and costs no process.
 *
 * It begins when Synapse reads its configuration, since modules are made only after Synapse has prepared the schema and
 * read its positions. POD_UID, which only pods have that may exist once, turns it on.
 */
export const ONLY_ONE_PY = scriptFrom(__dirname, "only_one.py");

/**
 * A module of Synapse that sends each event to an appservice once, whatever dies meanwhile. Synapse by itself writes
 * the position up to which it has handed events to a queue in memory, and makes transactions of that queue later, one
 * after the answer to the other: what is in the queue when the process ends is lost. A transaction that was made and
 * not sent stays until the appservice fails another time: only those that were down before are looked for at the start,
 * and only when the next event comes. Killed with one transaction on its way and nine events behind it, it lost the
 * nine (test/real/appservice.test.ts without this module).
 *
 * Here the transactions are written together with the position, in one transaction of the database and only if the
 * position is still the one that the round began at; they are sent in their order from there. What was sent and not
 * noted is sent again under its number, by which an appservice knows it (the specification asks for that). At its start
 * the process sends what is left, and goes on from the position without waiting for an event.
 *
 * The first appservice of all would get every event since the server's first day. Position 0, which no server keeps
 * that ever had one, tells that: then it begins with the next event.
 *
 * Typing notices, receipts, to-device messages and device lists are kept nowhere; they go as Synapse sends them.
 */
export const APPSERVICE_QUEUE_PY = scriptFrom(__dirname, "appservice_queue.py");

/**
 * The module for LDAP of Synapse's own image (matrix-synapse-ldap3), corrected in three places. Where no server of the
 * directory answers, ldap3 asks again for ever, and each login keeps one of the ten threads that also check the other
 * passwords and write media: here each server is asked once, and the login is refused. What a user types goes into the
 * search as text: parentheses and stars mean nothing. And who logs in with an e-mail address gets the account of the
 * entry's name in lower case, as with the name itself.
 */
export const LDAP_PY = scriptFrom(__dirname, "ldap_login.py");

/**
 * Deletes pods of lost machines without waiting for the machine's word. A StatefulSet makes no second pod of a name
 * while the first is there, and on a machine that does not answer it stays for ever. Only pods that only_one.py guards
 * have the label that it looks for, and its account may delete no others.
 *
 * A machine is lost when Kubernetes says so: taint `unreachable` with effect NoExecute, after 40 to 50 s without a word
 * from the kubelet. Kubernetes does not set that taint while more than half of the machines are silent, for then rather
 * the control plane is cut off. A pod that its kubelet does not end (a container runtime that hangs) is deleted half a
 * minute after its time to end is over.
 */
export const REPLACE_PY = scriptFrom(__dirname, "replace_lost.py");

/**
 * Keeps a media pod's cache below its bound: every file is in the object store already, so the oldest may be removed.
 * Files younger than ten minutes are kept. URL preview images are in no object store and are kept for a day.
 */
export const TRIM_PY = scriptFrom(__dirname, "trim_media.py");

/** Lines of check.py: only a process that starts reads the registrations. */
const LOAD_APPSERVICES = `from synapse.config.appservice import load_appservices

loaded = []
for path in shared["app_service_config_files"]:
    try:
        loaded += load_appservices(shared["server_name"], [path])
    except BaseException as error:
        bad.append("%s: %s" % (path, reason(error)))
for what in ("id", "token", "sender"):
    want(len({str(getattr(a, what)) for a in loaded}) == len(loaded), "two appservices have the same %s" % what)
if len(loaded) == len(shared["app_service_config_files"]):
    for a, path in zip(loaded, shared["app_service_config_files"]):
        want(path.endswith("/%s.yaml" % a.id), "%s is of another appservice" % path)`;

/** URL of each appservice by its id; null where it receives nothing. */
type Urls = Record<string, string | null>;

/**
 * Network policies are made for the URL of the settings: at another one the appservice would not be reached. What the
 * registration has instead is not shown: it is in a Secret.
 */
const compareUrls = (urls: Urls): string =>
  [
    `urls = json.loads(${JSON.stringify(JSON.stringify(urls))})`,
    "for a in loaded:",
    '    want(a.url == urls.get(a.id, a.url), "the registration of %s has another url than its settings, which have %s" % (a.id, urls.get(a.id)))',
  ].join("\n");

/** @param urls Of those that only this check reads. */
const checkAppservices = (urls: Urls): string =>
  [
    LOAD_APPSERVICES,
    ...(Object.keys(urls).length > 0 ? [compareUrls(urls)] : []),
    'print("ok", len(loaded), "appservices", file=LOG)',
  ].join("\n");

/**
 * Reads the configuration of every class as its pod would, with Synapse's own parser. Then it refuses configurations
 * that Synapse accepts in silence although no process would do some of the work. It shows no value that is in a Secret.
 *
 * @param appservices Absent where there are none; else the URLs of those whose registration nothing else has read
 */
export const checkPy = ({ appservices }: { appservices?: Urls }): string =>
  scriptFrom(__dirname, "check.py", {
    SHARED: MOUNTS.shared,
    EMAIL: MOUNTS.email,
    EXTRA: MOUNTS.extra,
    SECRETS: MOUNTS.secrets,
    APPSERVICES: verbatim(appservices ? checkAppservices(appservices) : ""),
  });

/** What check.py shows of an error: the words of the source that raised it, without the values. */
export const REASONS_PY = scriptFrom(__dirname, "reasons.py");
