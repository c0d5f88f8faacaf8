"""The engine: claim a batch, let threads send it, settle in bulk, again.

The thread that calls `run` is the only one that talks to the database; sender threads take jobs from per-host queues
and put results back. So a slow database never holds a socket, a slow receiver never holds a connection to the
database.
"""

import functools
import logging
import math
import queue
import threading
import time
import uuid
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from aegisnotify.clock import now
from notifications.addresses.services import mark_bounced
from notifications.delivery import outbox, policy, suspects
from notifications.delivery.health import Heard
from notifications.delivery.outbox import LEASE, Settled
from notifications.delivery.patience import Patience
from notifications.delivery.policy import asked_pause
from notifications.delivery.preparing import Prepared, outdated, prepare, wait
from notifications.delivery.queues import HostQueues
from notifications.delivery.quiet import Quiet
from notifications.delivery.recording import HealthRecorder
from notifications.delivery.results import Result, attempt_of, interrupted_attempt, settled_of
from notifications.delivery.sending import MakeTransport, Tried, real_transport, try_once
from notifications.delivery.stopping import Stop
from notifications.delivery.transport import Transport
from notifications.models import AddressBounce, Attempt, Delivery, DeliveryStatus
from notifications.models.deliveries import UNFINISHED, status_among

logger = logging.getLogger(__name__)

BATCH = 200
# Small and often: what is sent and not yet settled is sent again when the process is killed, and larger batches were
# not faster in the measurements.
SETTLE_ROWS = 24
SETTLE_EVERY = 0.012
# A host that has more waiting than this share of a batch is crowded: it gets no more, and does not count, when it is
# asked whether there is room for others. Without, a few hosts that hang fill the batch, and everybody waits for them.
CROWD = 4
# Looking past the crowds costs a query that mostly finds nothing.
LOOK_PAST_CROWDS_EVERY = 0.05
MOST_HELD = 10
# At the end of a budget tries that take longer than this are waited for, and their channels left out, while the
# others go on. Beyond the end of the time that a try may take, it is stopped in any case.
SLOW = 1.0
CLOSING = 16.0
# The bound on it, beside what is in flight: where the database is slow, senders wait for it.
MOST_UNSTORED = 20
# A claim and its preparation take less than this on a machine that is not starved.
UNSTORED_FOR = 0.03
# How soon a drain that has nothing to do sees a new row.
POLL = 0.025
LINGER = 1.0
# Lingering for a retry that is due soon costs little, looking for it often would.
SLOW_POLL = 0.1
SOON = timedelta(seconds=10)
# How soon an endless run that had nothing to do for a second sees a new row. Whoever is told by a wake-up is faster.
IDLE_POLL = 0.15
RENEW_EVERY = LEASE.total_seconds() / 3
DATABASE_PATIENCE = LEASE.total_seconds() / 2


@dataclass(slots=True)
class Summary:
    """What a run did: rows claimed, tries made, deliveries that ended as delivered."""

    claimed: int = 0
    tried: int = 0
    delivered: int = 0


class Engine:
    """One drain. Make one, `run` it once."""

    def __init__(
        self,
        *,
        threads: int | None = None,
        batch: int = BATCH,
        make_transport: MakeTransport = real_transport,
    ) -> None:
        self._threads = threads or settings.AEGIS_SENDER_THREADS
        self._batch = batch
        self._make_transport = make_transport
        self._queues: HostQueues[Prepared] = HostQueues(
            bound=max(2, self._threads // 4), most=self._threads + MOST_UNSTORED, most_seconds=UNSTORED_FOR
        )
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        # One token a run: every row it claims is leased under it.
        self._token = uuid.uuid4()
        self._held: dict[uuid.UUID, Prepared] = {}
        # When the tries in flight began, by delivery.
        self._begun: dict[uuid.UUID, float] = {}
        self._quiet = Quiet()
        self._health = HealthRecorder()
        # All leases run for `LEASE` from this moment at least.
        self._renewed = time.monotonic()
        # Waiting deliveries whose channel was changed after they were claimed.
        self._outdated: set[uuid.UUID] = set()
        # The delivery that was tried last of those that are tried one at a time.
        self._suspect: uuid.UUID | None = None
        self._looked = -math.inf
        self._stop: Stop = threading.Event()
        self._database = Patience(DATABASE_PATIENCE, self._stop)
        self.summary = Summary()

    def run(
        self,
        *,
        budget: float | None,
        linger: float | None = LINGER,
        stop: Stop | None = None,
        wait_for_retries: bool = True,
    ) -> Summary:
        """Deliver what is due until nothing is for `linger` seconds, `budget` seconds are over or `stop` is set.

        None for either is no such end. With `wait_for_retries` it also waits for what falls due within seconds. What
        is in flight at the end is finished (a try takes 15 seconds at most); what was claimed and not begun is given
        back, uncounted. Raises what the database raises after 15 seconds; without a budget it waits for the database
        as long as it may run.
        """
        end = math.inf if budget is None else time.monotonic() + budget
        self._stop = stop or self._stop
        self._database = Patience(math.inf if budget is None else DATABASE_PATIENCE, self._stop)
        threads = [
            threading.Thread(target=self._send_jobs, name=f"sender-{number}", daemon=True)
            for number in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        try:
            self._loop(end, linger, wait_for_retries)
        finally:
            try:
                self._give_back()
                self._finish_in_flight()
            finally:
                self._queues.close()
            self._database(self._health.write)
        return self.summary

    def _loop(self, end: float, linger: float | None, wait_for_retries: bool) -> None:
        active_for = LINGER if linger is None else linger
        active_until = time.monotonic() + active_for
        pause = POLL
        while not self._stop.is_set() and time.monotonic() < end:
            if self._claim():
                active_until = time.monotonic() + active_for
                pause = POLL
            if self._settle(wait=pause):
                active_until = time.monotonic() + active_for
            self._renew()
            self._quiet.heed(self._database(self._health.write_if_due))
            if not self._held and time.monotonic() > active_until:
                if linger is None:
                    pause = IDLE_POLL
                elif wait_for_retries and self._due_soon(end):
                    pause = SLOW_POLL
                else:
                    return
        self._go_on_beside_slow_tries()

    def _go_on_beside_slow_tries(self) -> None:
        """The budget is over. While tries are in flight that take long, the channels that are quick go on: nobody else
        may be at work in these seconds."""
        over = time.monotonic()
        self._give_back()
        while not self._stop.is_set() and time.monotonic() < over + CLOSING:
            begun = list(self._begun.copy().items())
            if not any(at < over for _, at in begun):
                return
            slow = [pk for pk, at in begun if at < time.monotonic() - SLOW]
            self._claim(without={self._held[pk].delivery.channel_id for pk in slow if pk in self._held})
            self._settle(wait=POLL)
            self._renew()
            self._quiet.heed(self._database(self._health.write_if_due))

    # -- the thread that talks to the database --

    def _claim(self, without: Collection[uuid.UUID | None] = ()) -> bool:
        """Claim and queue what is due; False when there was nothing, or no room for more."""
        crowd = self._queues.crowded(self._batch // CROWD)
        if not self._has_room(len(crowd)):
            return False
        left_out = {pk for pk in [*without, *(item.delivery.channel_id for item in crowd)] if pk is not None}
        rows = self._database(lambda: self._claim_rows(left_out))
        if not rows:
            return False
        self.summary.claimed += len(rows)
        # To prepare many takes a while, and what is answered meanwhile waits.
        self._settle(wait=0, gather=0)
        batch = suspects.sort(rows, now(), busy=self._suspect in self._held)
        suspect = batch.suspect
        interrupted = [interrupted_attempt(row) for row in rows if row.interrupted]
        if interrupted or batch.waiting:
            self._database(lambda: outbox.settle(self._token, batch.waiting, interrupted))
        if suspect is not None:
            self._database(lambda: outbox.begin(self._token, suspect.pk))
        prepared = self._database(lambda: prepare(batch.going))
        settled = [item.settled for item in prepared if item.settled is not None]
        going = [item for item in prepared if item.job is not None]
        for item in [item for item in going if item.delivery is suspect and not self._has_room_for(item)]:
            # Nobody would begin it now, and what is not begun must not count as having been.
            going.remove(item)
            settled.append(wait(item.delivery, now() + suspects.NO_ROOM))
        if settled:
            self._database(lambda: outbox.settle(self._token, settled))
        for item in going:
            self._queue(item, first=item.delivery is suspect)
        return True

    def _queue(self, item: Prepared, *, first: bool) -> None:
        assert item.host is not None
        self._quiet.was_claimed(item.target)
        self._held[item.delivery.pk] = item
        if first:
            self._suspect = item.delivery.pk
        self._queues.put(item.host, item, first=first)

    def _has_room_for(self, item: Prepared) -> bool:
        """Whether a sender would take it at once if it came first."""
        return self._queues.in_flight < self._threads and self._queues.has_room(item.host)

    def _claim_rows(self, left_out: Collection[uuid.UUID]) -> list[Delivery]:
        # First: while the database was away leases may have ended, and what waits here would be claimed once more.
        self._renew_if_due()
        if not self._held:
            self._renewed = time.monotonic()
        if not self._anything_due(left_out):
            return []
        return outbox.claim(self._batch, self._token, now(), without_channels=left_out)

    def _has_room(self, crowd: int) -> bool:
        """Whether to look for more, with so many waiting for crowded hosts."""
        waiting, moment = self._queues.waiting, time.monotonic()
        if waiting > self._batch // 2:
            if waiting - crowd > self._batch // 2 or len(self._held) > MOST_HELD * self._batch:
                return False
            if moment - self._looked < LOOK_PAST_CROWDS_EVERY:
                return False
        self._looked = moment
        return True

    def _anything_due(self, left_out: Collection[uuid.UUID]) -> bool:
        """On SQLite an UPDATE takes the write lock even when it finds nothing, a SELECT does not."""
        if connection.vendor != "sqlite":
            return True
        due = Delivery.objects.filter(status_among(UNFINISHED), next_at__lte=now())
        return (due.exclude(channel__in=left_out) if left_out else due).exists()

    def _settle(self, wait: float, gather: float = SETTLE_EVERY) -> bool:
        """Store the results that are there, waiting up to `wait` seconds for a first one and then `gather` seconds for
        others; False if there was none."""
        results: list[Result] = []
        deadline = time.monotonic() + wait
        while len(results) < SETTLE_ROWS:
            try:
                results.append(self._results.get(timeout=max(deadline - time.monotonic(), 0)))
            except queue.Empty:
                break
            if len(results) == 1:
                deadline = time.monotonic() + (gather if self._queues.in_flight else 0)
        if not results:
            return False
        moment = now()
        settled = [
            settled_of(result, moment)
            for result in results
            if result.tried is not None or self._is_held(result.prepared)
        ]
        # Faults of ours are no tries: while a mail server is away for a day they would be thousands of rows.
        attempts = [
            attempt_of(result.prepared, result.tried)
            for result in results
            if result.tried is not None and not result.tried.reading.is_no_try
        ]
        self._store(settled, attempts)
        self._queues.stored(len(results))
        for result in results:
            if result.tried is not None and result.prepared.channel is not None:
                channel = result.prepared.channel
                self._health.note(channel, Heard(moment, result.tried.reading, channel.target_fingerprint))
            pk = result.prepared.delivery.pk
            if self._is_held(result.prepared):
                del self._held[pk]
            self._begun.pop(pk, None)
            self._outdated.discard(pk)
        for row, tried in [(result.prepared.delivery, result.tried) for result in results]:
            if tried is not None and tried.reading.bounced:
                self._database(functools.partial(_mark_bounced, row, tried))
        self.summary.tried += len(attempts)
        self.summary.delivered += sum(row.status == DeliveryStatus.DELIVERED for row in settled)
        return True

    def _store(self, settled: Sequence[Settled], attempts: Sequence[Attempt]) -> None:
        try:
            self._database(lambda: outbox.settle(self._token, settled, attempts))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("Results could not be stored together. They are stored one by one.")
            for row in settled:
                self._store_alone(row, [attempt for attempt in attempts if attempt.delivery_id == row.id])

    def _store_alone(self, row: Settled, attempts: Sequence[Attempt]) -> None:
        """Where the texts can't be stored, what they lead to is: the delivery would be sent again and again, with
        all that stands beside it."""
        try:
            self._database(lambda: outbox.settle(self._token, [row], attempts))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("The result of delivery %s could not be stored.", row.id)
            reason = "The answer to the last try could not be stored. This is a fault of ours and has been logged."
            bare = replace(row, body=None, reason=reason)
            self._database(lambda: outbox.settle(self._token, [bare]))

    def _is_held(self, prepared: Prepared) -> bool:
        return self._held.get(prepared.delivery.pk) is prepared

    def _renew(self) -> None:
        self._database(self._renew_if_due)

    def _renew_if_due(self) -> None:
        """Renew the leases of what waits and is in flight. What others hold by now, or whose channel has changed, is
        not sent: what waits for a crowded host may wait for minutes."""
        began = time.monotonic()
        if not self._held or began - self._renewed <= RENEW_EVERY:
            return
        moment = now()
        lost = outbox.renew(self._token, list(self._held), moment)
        waiting = [item for pk, item in self._held.items() if pk not in self._begun]
        for item in waiting:
            if item.delivery.pk in lost:
                del self._held[item.delivery.pk]
        self._outdated |= outdated(waiting, moment)
        self._renewed = began

    def _due_soon(self, end: float) -> bool:
        due = self._database(outbox.next_due)
        left = timedelta(seconds=end - time.monotonic())
        return due is not None and due <= now() + min(left, SOON)

    def _give_back(self) -> None:
        moment = now()
        rows = [item.delivery for item in self._queues.take_all()]
        given = [wait(row, moment, row.slot_at) for row in rows]
        self._database(lambda: outbox.settle(self._token, given))
        for row in rows:
            self._held.pop(row.pk, None)

    def _finish_in_flight(self) -> None:
        while self._held and self._queues.unstored > 0:
            self._settle(wait=SETTLE_EVERY)
            self._renew()

    # -- sender threads --

    def _send_jobs(self) -> None:
        transport = self._make_transport()
        try:
            while (taken := self._queues.take()) is not None:
                host, prepared = taken
                self._begun[prepared.delivery.pk] = time.monotonic()
                try:
                    result = self._send(host, prepared, transport)
                except Exception:
                    logger.exception("Delivery %s could not be tried. It waits.", prepared.delivery.pk)
                    result = Result(prepared, None, now() + policy.OUR_PAUSE)
                self._queues.done(host)
                self._results.put(result)
        finally:
            transport.close()

    def _send(self, host: Hashable, prepared: Prepared, transport: Transport) -> Result:
        assert prepared.job is not None
        pk, target = prepared.delivery.pk, prepared.target
        if not self._is_held(prepared) or pk in self._outdated or self._lease_is_over():
            return Result(prepared, None)
        quiet = self._quiet.until(target, host)
        if quiet is not None:
            return Result(prepared, None, quiet)
        tried = try_once(prepared.job, transport)
        if pause := asked_pause(tried.reading):
            self._quiet.ask(host if tried.reading.everybody else target, now() + pause)
        return Result(prepared, tried)

    def _lease_is_over(self) -> bool:
        """Whether nobody renewed it in time, as while the database is away: others may be sending what waits here."""
        return time.monotonic() - self._renewed > LEASE.total_seconds()


def _mark_bounced(row: Delivery, tried: Tried) -> None:
    mark_bounced(row.recipient, AddressBounce.Kind.BOUNCED, tried.reading.sentence)
