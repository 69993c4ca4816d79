/** Programs that run beside Synapse, in the Python that its image has anyway. Pure. */
import { scriptFrom } from "../../../core/scripts";
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
 * Keeps a media pod's cache below its bound: every file is in the object store already, so the oldest may be removed.
 * Files younger than ten minutes are kept. URL preview images are in no object store and are kept for a day.
 */
export const TRIM_PY = scriptFrom(__dirname, "trim_media.py");

/**
 * Reads the configuration of every class as its pod would, with Synapse's own parser. Then it refuses configurations
 * that Synapse accepts in silence although no process would do some of the work.
 */
export const CHECK_PY = scriptFrom(__dirname, "check.py", { SHARED: MOUNTS.shared, EMAIL: MOUNTS.email });
