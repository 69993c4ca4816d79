import logging

from synapse.util.duration import Duration

logger = logging.getLogger("appservice_queue")
PER_TRANSACTION = 100
AGAIN = Duration(seconds=5)


class Queue:
    def __init__(self, hs):
        self.hs = hs
        self.clock = hs.get_clock()
        self.store = hs.get_datastores().main
        self.handler = hs.get_application_service_handler()
        self.scheduler = self.handler.scheduler
        self.queuer = self.scheduler.queuer
        self.controller = self.scheduler.txn_ctrl
        # Events of the round that Synapse is in, by service; the position that it began at, and the last one written.
        self.batch = {}
        self.began = self.position = 0
        self.read_position = self.store.get_appservice_last_pos
        self.enqueue = self.scheduler.enqueue_for_appservice
        self.send_others = self.queuer._send_request
        self.recovered = self.controller.on_recovered
        self.store.get_appservice_last_pos = self.begin
        self.store.set_appservice_last_pos = self.commit
        self.scheduler.enqueue_for_appservice = self.take
        self.queuer._send_request = self.send_others_then_ours
        self.controller.on_recovered = self.recovered_then_ours
        # Its first event would start it. What is left from before has to go out without one.
        self.handler.started_scheduler = True
        hs.run_as_background_process("appservice_queue", self.start)

    async def start(self):
        try:
            if await self.read_position() == 0:
                # No appservice has ever been here: this one need not see everything that was ever written.
                newest = self.store.get_room_max_stream_ordering()
                await self.store.db_pool.simple_update_one("appservice_stream_position", {}, {"stream_ordering": newest})
                logger.info("the first appservice gets events from %d on", newest)
            await self.scheduler.start()
        except Exception as error:
            logger.warning("not started, once more: %s", error)
            self.clock.call_later(AGAIN, self.hs.run_as_background_process, "appservice_queue", self.start)
            return
        for service in self.store.get_app_services():
            self.deliver(service)
        self.handler.notify_interested_services(self.store.get_room_max_token())
        self.clock.looping_call(self.go_on, AGAIN)

    # A round that failed is repeated only with the next event.
    def go_on(self):
        if self.handler.current_max > self.position and not self.handler.is_processing:
            self.handler._notify_interested_services(None)

    async def begin(self):
        self.batch = {}
        self.began = await self.read_position()
        return self.began

    def take(self, service, events=None, **others):
        if events:
            self.batch.setdefault(service.id, []).extend(events)
        if any(others.values()):
            self.enqueue(service, **others)

    async def commit(self, position):
        rows = [
            (service, json_of(sorted(events, key=order_of)[i : i + PER_TRANSACTION]))
            for service, events in self.batch.items()
            for i in range(0, len(events), PER_TRANSACTION)
        ]

        def write(txn):
            # Only from where the round began: a commit of which the answer was lost is not repeated.
            txn.execute("UPDATE appservice_stream_position SET stream_ordering = ? WHERE stream_ordering = ?", (position, self.began))
            if txn.rowcount == 0:
                return
            for service, events in rows:
                number = self.store._as_txn_seq_gen.get_next_id_txn(txn)
                txn.execute("INSERT INTO application_services_txns (as_id, txn_id, event_ids) VALUES (?, ?, ?)", (service, number, events))

        await self.store.db_pool.runInteraction("appservice_queue", write)
        self.position = position
        self.batch = {}
        for service in {service for service, _ in rows}:
            self.deliver(self.store.get_app_service_by_id(service))

    # One after the other: whoever sends is in requests_in_flight, and Synapse's retries are in recoverers.
    def deliver(self, service):
        if service.id in self.queuer.requests_in_flight or service.id in self.controller.recoverers:
            return
        self.queuer.requests_in_flight.add(service.id)
        self.hs.run_as_background_process("appservice_queue", self.send_all, service)

    async def send_all(self, service):
        try:
            while True:
                txn = await self.store.get_oldest_unsent_txn(service)
                if not txn:
                    break
                if self.queuer._msc3202_transaction_extensions_enabled and service.msc3202_transaction_extensions:
                    counts = await self.queuer._compute_msc3202_otk_counts_and_fallback_keys(service, txn.events, [], [])
                    txn.one_time_keys_count, txn.unused_fallback_keys = counts
                if not await txn.send(self.controller.as_api):
                    await self.controller._on_txn_fail(service)
                    self.later(service)
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
        self.clock.call_later(AGAIN, self.deliver, service)

    async def send_others_then_ours(self, service):
        kept = any(q.get(service.id) for q in (self.queuer.queued_ephemeral, self.queuer.queued_to_device_messages, self.queuer.queued_device_list_summaries))
        if not kept:
            return
        await self.send_others(service)
        self.deliver(service)

    async def recovered_then_ours(self, recoverer):
        await self.recovered(recoverer)
        self.deliver(recoverer.service)


def order_of(event):
    return event.internal_metadata.stream_ordering


def json_of(events):
    return "[%s]" % ",".join('"%s"' % event.event_id for event in events)


class AppserviceQueue:
    @staticmethod
    def parse_config(config):
        return config

    def __init__(self, config, api):
        hs = api._hs
        if hs.config.worker.should_notify_appservices:
            Queue(hs)
