import inspect
import json
import logging

from synapse.appservice import ApplicationServiceState
from synapse.appservice.scheduler import ApplicationServiceScheduler, _Recoverer, _ServiceQueuer, _TransactionController
from synapse.handlers.appservice import ApplicationServicesHandler
from synapse.storage.databases.main.appservice import ApplicationServiceTransactionWorkerStore
from synapse.util.duration import Duration

logger = logging.getLogger("appservice_queue")
PER_TRANSACTION = 100
AGAIN = Duration(seconds=5)
# What is replaced, and what is relied on in it.
RELIED_ON = (
    (
        ApplicationServicesHandler,
        "_notify_interested_services",
        ("get_appservice_last_pos()", "enqueue_for_appservice(", "set_appservice_last_pos(", "started_scheduler"),
    ),
    (ApplicationServiceScheduler, "enqueue_for_appservice", ("events", "start_background_request")),
    (_ServiceQueuer, "_send_request", ("requests_in_flight", "queued_ephemeral", "queued_to_device_messages", "queued_device_list_summaries")),
    (_ServiceQueuer, "start_background_request", ("self._send_request",)),
    (_ServiceQueuer, "_compute_msc3202_otk_counts_and_fallback_keys", ()),
    (_TransactionController, "send", ("self._on_txn_fail",)),
    (_TransactionController, "_on_txn_fail", ("start_recoverer",)),
    (_TransactionController, "start_recoverer", ("self.recoverers[", "self.on_recovered")),
    (_TransactionController, "on_recovered", ("recoverers.pop",)),
    (_Recoverer, "retry", ("get_oldest_unsent_txn", "self.callback(")),
    (ApplicationServiceTransactionWorkerStore, "get_appservice_last_pos", ("appservice_stream_position",)),
    (ApplicationServiceTransactionWorkerStore, "set_appservice_last_pos", ("appservice_stream_position",)),
    (ApplicationServiceTransactionWorkerStore, "get_oldest_unsent_txn", ("application_services_txns",)),
    (ApplicationServiceTransactionWorkerStore, "create_appservice_txn", ("_as_txn_seq_gen", "event_ids")),
    (ApplicationServiceTransactionWorkerStore, "set_appservice_state", ()),
    (ApplicationServiceTransactionWorkerStore, "get_appservices_by_state", ()),
)


class Queue:
    def __init__(self, hs):
        self.hs = hs
        self.clock = hs.get_clock()
        self.store = hs.get_datastores().main
        self.handler = hs.get_application_service_handler()
        self.scheduler = self.handler.scheduler
        self.queuer = self.scheduler.queuer
        self.controller = self.scheduler.txn_ctrl
        # Events of the round that Synapse is in, by service and id; the position that it began at, and the last one written.
        self.batch = {}
        self.began = self.position = 0
        # Services that are being declared down, and those that a timer will come back to.
        self.failing = set()
        self.waiting = set()
        self.read_position = self.store.get_appservice_last_pos
        self.enqueue = self.scheduler.enqueue_for_appservice
        self.send_others = self.queuer._send_request
        self.failed = self.controller._on_txn_fail
        self.store.get_appservice_last_pos = self.begin
        self.store.set_appservice_last_pos = self.commit
        self.scheduler.enqueue_for_appservice = self.take
        self.queuer._send_request = self.send_others_then_ours
        self.controller._on_txn_fail = self.fail
        self.controller.on_recovered = self.recovered
        # Its first event would start it. What is left from before has to go out without one.
        self.handler.started_scheduler = True
        self.clock.looping_call(self.go_on, AGAIN)
        hs.run_as_background_process("appservice_queue", self.start)

    async def start(self):
        try:
            if await self.read_position() == 0:
                # No appservice has ever been here: this one need not see everything that was ever written.
                newest = self.store.get_room_max_stream_ordering()
                await self.store.db_pool.simple_update_one("appservice_stream_position", {}, {"stream_ordering": newest})
                logger.info("the first appservice gets events from %d on", newest)
            for service in await self.store.get_appservices_by_state(ApplicationServiceState.DOWN):
                if service.id not in self.controller.recoverers:
                    self.controller.start_recoverer(service)
        except Exception as error:
            logger.warning("not started, once more: %s", error)
            self.clock.call_later(AGAIN, self.hs.run_as_background_process, "appservice_queue", self.start)
            return
        for service in self.store.get_app_services():
            self.deliver(service)
        self.handler.notify_interested_services(self.store.get_room_max_token())

    # A round that failed is repeated only with the next event.
    def go_on(self):
        if self.handler.current_max > self.position and not self.handler.is_processing:
            self.handler._notify_interested_services(None)

    async def begin(self):
        self.batch = {}
        self.began = await self.read_position()
        return self.began

    # Rooms of a round that failed may still be at work in the next one, or after it: an event is taken once.
    def take(self, service, events=None, **others):
        for event in events or ():
            if order_of(event) > self.began:
                self.batch.setdefault(service.id, {})[event.event_id] = event
        if any(others.values()):
            self.enqueue(service, **others)

    async def commit(self, position):
        batch, self.batch = self.batch, {}
        rows = []
        for service, events in batch.items():
            ids = [event.event_id for event in sorted(events.values(), key=order_of)]
            rows += [(service, json.dumps(ids[i : i + PER_TRANSACTION])) for i in range(0, len(ids), PER_TRANSACTION)]

        def write(txn):
            # Only from where the round began: a commit of which the answer was lost is not repeated.
            txn.execute("UPDATE appservice_stream_position SET stream_ordering = ? WHERE stream_ordering = ?", (position, self.began))
            if txn.rowcount == 0:
                txn.execute("SELECT stream_ordering FROM appservice_stream_position")
                return txn.fetchone()[0]
            for service, events in rows:
                number = self.store._as_txn_seq_gen.get_next_id_txn(txn)
                txn.execute("INSERT INTO application_services_txns (as_id, txn_id, event_ids) VALUES (?, ?, ?)", (service, number, events))
            return position

        try:
            found = await self.store.db_pool.runInteraction("appservice_queue", write)
            self.position = self.began = found
            if found != position:
                raise RuntimeError("the database is at %d, not at %d: the round is repeated from there" % (found, position))
        finally:
            # Also where the answer was lost: the rows may be there.
            for service in batch:
                self.deliver(self.store.get_app_service_by_id(service))

    # One after the other: whoever sends is in requests_in_flight, and Synapse's retries are in recoverers.
    def deliver(self, service):
        if service.id in self.queuer.requests_in_flight or service.id in self.failing or service.id in self.controller.recoverers:
            return
        self.queuer.requests_in_flight.add(service.id)
        self.hs.run_as_background_process("appservice_queue", self.send_all, service)

    async def send_all(self, service):
        try:
            first = True
            while service.id not in self.controller.recoverers:
                # The appservice may know the number of the oldest from before; those behind it were never sent.
                if not first:
                    await self.store.db_pool.runInteraction("appservice_queue_merge", merge, service.id)
                first = False
                txn = await self.store.get_oldest_unsent_txn(service)
                if not txn:
                    break
                txn.events = await self.store.get_events_as_list([event.event_id for event in txn.events], get_prev_content=True)
                if self.queuer._msc3202_transaction_extensions_enabled and service.msc3202_transaction_extensions:
                    counts = await self.queuer._compute_msc3202_otk_counts_and_fallback_keys(service, txn.events, [], [])
                    txn.one_time_keys_count, txn.unused_fallback_keys = counts
                if not await txn.send(self.controller.as_api):
                    await self.controller._on_txn_fail(service)
                    return
                await txn.complete(self.store)
        except Exception as error:
            logger.warning("appservice %s: once more: %s", service.id, error)
            self.later(service)
        finally:
            self.queuer.requests_in_flight.discard(service.id)
        # What is not kept in the database may have come meanwhile.
        self.queuer.start_background_request(service)

    def later(self, service):
        if service.id not in self.waiting:
            self.waiting.add(service.id)
            self.clock.call_later(AGAIN, self.come_back, service)

    def come_back(self, service):
        self.waiting.discard(service.id)
        self.deliver(service)

    async def send_others_then_ours(self, service):
        kept = any(q.get(service.id) for q in (self.queuer.queued_ephemeral, self.queuer.queued_to_device_messages, self.queuer.queued_device_list_summaries))
        if not kept:
            return
        await self.send_others(service)
        self.deliver(service)

    # The state is written before the recoverer exists: until then nothing else may begin to send.
    async def fail(self, service):
        if service.id in self.failing or service.id in self.controller.recoverers:
            return
        self.failing.add(service.id)
        try:
            await self.failed(service)
        finally:
            self.failing.discard(service.id)
            if service.id not in self.controller.recoverers:
                self.later(service)

    # The recoverer goes once the state is written: without it, nothing would write that the appservice is back.
    async def recovered(self, recoverer):
        await self.store.set_appservice_state(recoverer.service, ApplicationServiceState.UP)
        self.controller.recoverers.pop(recoverer.service.id, None)
        logger.info("appservice %s takes events again", recoverer.service.id)
        self.deliver(recoverer.service)


def order_of(event):
    return event.internal_metadata.stream_ordering


# Many rounds of one event each would be as many requests.
def merge(txn, service):
    txn.execute("SELECT txn_id, event_ids FROM application_services_txns WHERE as_id = ? ORDER BY txn_id LIMIT ?", (service, PER_TRANSACTION))
    numbers, events = [], []
    for number, text in txn.fetchall():
        more = json.loads(text)
        if numbers and len(events) + len(more) > PER_TRANSACTION:
            break
        numbers.append(number)
        events += more
    if len(numbers) < 2:
        return
    txn.execute("UPDATE application_services_txns SET event_ids = ? WHERE as_id = ? AND txn_id = ?", (json.dumps(events), service, numbers[0]))
    for number in numbers[1:]:
        txn.execute("DELETE FROM application_services_txns WHERE as_id = ? AND txn_id = ?", (service, number))


class AppserviceQueue:
    @staticmethod
    def parse_config(config):
        # Read by the check of a configuration too: a Synapse that sends otherwise is not deployed.
        for owner, name, parts in RELIED_ON:
            method = getattr(owner, name, None)
            if not callable(method):
                raise Exception("this Synapse has no %s.%s" % (owner.__name__, name))
            source = inspect.getsource(method)
            for part in parts:
                if part not in source:
                    raise Exception("%s.%s of this Synapse does not use %s" % (owner.__name__, name, part))
        return config

    def __init__(self, config, api):
        hs = api._hs
        if hs.config.worker.should_notify_appservices:
            Queue(hs)
