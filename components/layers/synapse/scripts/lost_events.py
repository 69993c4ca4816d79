import logging, os, signal, sys

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
