"""What becomes of a delivery after a try: done, again at which moment, or given up. Pure.

A wait is counted from the end of the try, not from its beginning: a receiver that hangs for 15 seconds gets the same
pause as one that refuses at once.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from notifications.channels.base import Reading, Verdict

JITTER = 0.2
"""Each wait is up to this share shorter or longer, so that what failed together does not come back together."""
MOST_RETRY_AFTER = timedelta(hours=24)
LIMITED_FOR = timedelta(days=4)
"""How long a delivery is tried against what uses up no step: a little longer than the longest ladder."""
OUR_PAUSE = timedelta(seconds=30)
"""The wait after a fault of our own, which uses up no step either."""
_MOST_PAUSE_BY_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The waits before each try; the first is the one before the first try."""

    waits: tuple[timedelta, ...]

    @property
    def tries(self) -> int:
        return len(self.waits)


def _ladder(*seconds: int) -> Ladder:
    return Ladder(tuple(timedelta(seconds=value) for value in seconds))


_MINUTE, _HOUR = 60, 3600
WEBHOOK = _ladder(0, 5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""For machines, which want every event even days later: ten tries in a good three days (Standard Webhooks' ladder)."""
PEOPLE = _ladder(0, 5, 30, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 6 * _HOUR)
"""For chat and email, where old news is worthless: eight tries within nine hours."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of the delivery. `step` is the ladder step of the next try (of the last one, when there is none),
    `next_at` its moment. `reason` is a sentence, empty when delivered."""

    status: Literal["delivered", "retrying", "failed"]
    step: int
    next_at: datetime | None
    reason: str


def settle(
    reading: Reading, *, ladder: Ladder, step: int, created_at: datetime, now: datetime, jitter: float
) -> Settlement:
    """The outcome of a try. `step` is the ladder step just tried, from 0; `now` the end of the try, from which the next
    wait is counted; `jitter` a random number in [0, 1).

    - Our own faults and 429s leave the step where it is; everything else that is to be tried again takes the next one.
      Both are given up 4 days after the delivery was created: by then the news is old, whoever is to blame.
    - `Retry-After` makes a wait longer (24 hours at most), never shorter.
    - Since nothing else bounds a 429, its wait grows with the delivery's age (an eighth of it, an hour at most): some
      150 tries instead of one every few seconds.
    """
    if reading.verdict in (Verdict.OK, Verdict.ACCEPTED):
        return Settlement("delivered", step, None, "")
    age = now - created_at
    if reading.verdict is Verdict.FAILED:
        return Settlement("failed", step, None, reading.sentence)
    if (reading.ours or reading.limited) and age >= LIMITED_FOR:
        return Settlement("failed", step, None, f"{reading.sentence} It was given up after 4 days.")
    if reading.ours:
        return Settlement("retrying", step, now + _wait(OUR_PAUSE, reading, jitter), reading.sentence)
    following = step + 1
    if reading.limited:
        rung = ladder.waits[min(following, ladder.tries - 1)]
        pause = max(rung, pause_by_age(age))
        return Settlement("retrying", step, now + _wait(pause, reading, jitter), reading.sentence)
    if following >= ladder.tries:
        return Settlement("failed", step, None, f"{reading.sentence} It was given up after {ladder.tries} tries.")
    return Settlement("retrying", following, now + _wait(ladder.waits[following], reading, jitter), reading.sentence)


def pause_by_age(age: timedelta) -> timedelta:
    """How long to wait for what has no known end: an eighth of the age, an hour at most. So what piles up over days
    costs little while it waits."""
    return min(age / 8, _MOST_PAUSE_BY_AGE)


def asked_pause(reading: Reading) -> timedelta:
    """How long the other side asked us to wait: zero when it didn't, 24 hours at most. It pauses the whole channel."""
    seconds = reading.retry_after
    if seconds is None or math.isnan(seconds) or seconds <= 0:
        return timedelta(0)
    return timedelta(seconds=min(seconds, MOST_RETRY_AFTER.total_seconds()))


def _wait(schedule: timedelta, reading: Reading, jitter: float) -> timedelta:
    return max(schedule * (1 - JITTER + 2 * JITTER * jitter), asked_pause(reading))
