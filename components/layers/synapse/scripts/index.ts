/** Programs that run beside Synapse, in the Python that its image has anyway. Pure. */
import { scriptFrom } from "../../../core/scripts";
import { MOUNTS } from "../paths";

/**
 * Waits, with a bound, until the database can be used. The main process needs a connection; the others need the
 * schema that it makes, and not the main process itself: they can start while it is away.
 *
 * With `settle`, for processes that write streams: PostgreSQL logs a sequence 32 values ahead of what it gave out, so a
 * standby that is promoted shows up to 32 more than the old primary did, and the old one, promoted again, less than was
 * seen meanwhile. A stream writer of Synapse takes what it sees at its start for its position: after two changes of
 * primary that goes backwards. Synapse then refuses to start (element-hq/synapse issue 18544), or, in a stream that is
 * hardly written, every /sync of a client that holds the higher position waits 10 s and returns nothing, for ever (seen
 * in `npm run test:cluster`). ALTER SEQUENCE writes the value as it is, under a lock that keeps nextval out: what a
 * process sees at its start is then on every instance.
 */
export const WAIT_PY = scriptFrom(__dirname, "wait_database.py");

/**
 * A filter of Synapse's log that ends the process when the database lacks an event which that process remembers to have
 * persisted. It keeps each room's newest events in memory and writes all of them with the next one; once one is not
 * there, no event of that room is accepted until a restart. It happens when a failover of PostgreSQL lost what it had
 * acknowledged: a primary that stood still and went on, with a standby that was still waiting for it, until it learned
 * of its successor (`npm run test:cluster`, node-frozen: no room took a message for six minutes, until event persisters
 * were restarted).
 */
export const LOST_EVENTS_PY = scriptFrom(__dirname, "lost_events.py");

/**
 * A module of Synapse that lets no request wait for a session with PostgreSQL that has nobody behind it.
 *
 * One that ended while it was idle: a session ends with its pooler or with the primary behind it, and Synapse learns of
 * it from the first query: that request fails, one for each of a process's sessions (twisted.enterprise.adbapi raises
 * ConnectionLost, which Synapse's own retry does not know), also minutes later (`npm run test:cluster`, pooler).
 * Synapse asks its database engine before each use whether the session is closed, and opens another if so: here that
 * question gets the true answer. On a session that waits for nothing there is nothing to read, except its end.
 *
 * One whose primary stands still (a disk that hangs, a machine that is paused): its kernel goes on confirming what is
 * sent, so no time-out of TCP, of PgBouncer or of the server ends it, and whoever has asked waits until the machine
 * moves again, also when another primary has long taken over (node-frozen). So a thread looks for sessions that have
 * been waiting for an answer, asks by a new session who the primary is now, and cuts those that are with another:
 * Synapse repeats what they were doing.
 */
export const FRESH_SESSIONS_PY = scriptFrom(__dirname, "fresh_sessions.py");

/**
 * Keeps a media pod's cache below its bound: every file is in the object store already, so the oldest may go.
 * Nothing younger than ten minutes is touched. URL preview images are in no object store and go only after a day.
 */
export const TRIM_PY = scriptFrom(__dirname, "trim_media.py");

/**
 * Reads the configuration of every class as its pod would, with Synapse's own parser, and then checks what Synapse
 * accepts in silence although nobody would do the work.
 */
export const CHECK_PY = scriptFrom(__dirname, "check.py", { SHARED: MOUNTS.shared, EMAIL: MOUNTS.email });
