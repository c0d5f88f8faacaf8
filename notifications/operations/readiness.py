"""Whether the installation does its work: what `/readyz` answers."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error, connection
from django_q.brokers import get_broker

from aegisnotify.clock import now
from notifications.delivery import outbox
from notifications.operations.workers import workers_seen

# Retries fall due in their time, so nothing waits longer than a drain needs to come to it.
LATE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`oldest_due` is how long the oldest due delivery has been waiting, None where none is due."""

    database: bool
    broker: bool = False
    workers: int = 0
    oldest_due: timedelta | None = None

    @property
    def status(self) -> str:
        """down: nothing can be accepted; degraded: what is accepted waits; ok."""
        if not self.database:
            return "down"
        late = self.oldest_due is not None and self.oldest_due > LATE
        return "degraded" if late or not self.broker or not self.workers else "ok"


def readiness() -> Readiness:
    """Never raises, and takes a second at most where a server hangs."""
    try:
        with _impatient():
            workers, oldest_due = workers_seen(), oldest_due_age()
    except Error:
        connection.close()
        return Readiness(database=False)
    return Readiness(database=True, broker=_broker_answers(), workers=workers, oldest_due=oldest_due)


def oldest_due_age() -> timedelta | None:
    """How long the oldest due delivery has been waiting; None where none is due."""
    due, moment = outbox.next_due(), now()
    return moment - due if due is not None and due <= moment else None


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """PostgreSQL gives up after a second: whoever asks does so, too."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '1000', false)")
        try:
            yield
        finally:
            with contextlib.suppress(Error):
                cursor.execute("RESET statement_timeout")


def _broker_answers() -> bool:
    try:
        broker: Any = get_broker()
        broker.hurry()
        broker.queue_size()
    except Exception:
        return False
    return True
