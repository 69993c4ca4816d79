/**
 * A filter of Synapse's log that ends the process when the database lacks an event which that process remembers to have
 * persisted. It keeps each room's newest events in memory and writes all of them with the next one; once one is not
 * there, no event of that room is accepted until a restart. It happens when a failover of PostgreSQL lost what it had
 * acknowledged: a primary that stood still and went on, with a standby that was still waiting for it, until it learned
 * of its successor (`npm run test:cluster`, node-frozen: no room took a message for six minutes, until event persisters
 * were restarted).
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
