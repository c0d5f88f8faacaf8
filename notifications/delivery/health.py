"""What tries say about their channel, as a value: successes, failures, the breaker, and how long it has only failed.

Pure. `recording` reads and writes it, `warnings` tells people of it.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from notifications.channels.base import Reading, Verdict
from notifications.delivery.breaker import Breaker
from notifications.delivery.policy import asked_pause

Target = tuple[UUID | None, str]
"""A channel and the fingerprint of its URL. What one URL asked for says nothing of the one that takes its place."""

# One bad afternoon is no reason to suspend anybody: the clock of a failing webhook starts when it still fails half a
# day after its first failure (as Standard Webhooks' reference implementation does), and gives its owner five days.
CLOCK_STARTS_AFTER = timedelta(hours=12)
SUSPENDED_AFTER = timedelta(days=5)
WARNED_AFTER = SUSPENDED_AFTER / 2


class Stage(enum.StrEnum):
    """How far a failing channel is, and how far people have been told."""

    FINE = ""
    WARNED = "half"
    SUSPENDED = "end"


@dataclass(frozen=True, slots=True)
class Health:
    """`not_before`: the other side asked to be left alone until then."""

    failures_in_a_row: int = 0
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str = ""
    first_failure_at: datetime | None = None
    failing_since: datetime | None = None
    not_before: datetime | None = None
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def is_spotless(self) -> bool:
        """Nothing to reset by another success."""
        return not (self.failures_in_a_row or self.first_failure_at or self.breaker.open_until or self.breaker.failures)


@dataclass(frozen=True, slots=True)
class Heard:
    """One try: when its answer was read, our reading of it, and the fingerprint of the URL that was tried."""

    at: datetime
    reading: Reading
    target: str = ""

    @property
    def succeeded(self) -> bool:
        return self.reading.verdict in (Verdict.OK, Verdict.ACCEPTED)

    @property
    def counts_as_failure(self) -> bool:
        """Our own faults say nothing of the channel; a 429 says it is alive and busy; a bounce is about one address."""
        return not (self.succeeded or self.reading.ours or self.reading.limited or self.reading.bounced)


def after(health: Health, tries: Iterable[Heard]) -> Health:
    """The health after some tries."""
    for heard in sorted(tries, key=lambda heard: heard.at):
        health = _after_one(health, heard)
    return health


def stage(health: Health, *, is_webhook: bool, moment: datetime) -> Stage:
    """What is due for a channel that only fails. Only webhooks are suspended for that: they are tried for days."""
    if not is_webhook or health.failing_since is None:
        return Stage.FINE
    failing = moment - health.failing_since
    if failing >= SUSPENDED_AFTER:
        return Stage.SUSPENDED
    return Stage.WARNED if failing >= WARNED_AFTER else Stage.FINE


def _after_one(health: Health, heard: Heard) -> Health:
    reading, at = heard.reading, heard.at
    if (pause := asked_pause(reading)) and (heard.succeeded or reading.verdict is Verdict.RETRY):
        # "Come back later" is said to the sender, not about one message.
        health = replace(health, not_before=max(at + pause, health.not_before or at))
    if heard.succeeded:
        return replace(
            health,
            failures_in_a_row=0,
            last_success_at=at,
            first_failure_at=None,
            failing_since=None,
            breaker=health.breaker.heard(1, 0, at),
        )
    if not heard.counts_as_failure:
        return health
    first = health.first_failure_at or at
    return replace(
        health,
        failures_in_a_row=health.failures_in_a_row + 1,
        last_error_at=at,
        last_error=reading.sentence[:500],
        first_failure_at=first,
        failing_since=health.failing_since or (at if at - first >= CLOCK_STARTS_AFTER else None),
        breaker=health.breaker.heard(0, 1, at),
    )
