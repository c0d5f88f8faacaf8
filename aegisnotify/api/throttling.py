"""The rate limit of the API: so many requests a minute for each token, or each person in a workspace."""

import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from aegisnotify.clock import now

if TYPE_CHECKING:
    # Importing it reads the default throttles, which are these.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
# A cache that is down costs every request its connection timeout, so after a failure it is left alone for a moment.
_REST = timedelta(seconds=5)
_LOG_STEP = timedelta(minutes=1)


@runtime_checkable
class HasRateKey(Protocol):
    """Whom requests are counted for: what authentication leaves in `request.auth`."""

    @property
    def rate_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of the current minute."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }


class _Outage:
    """What this process knows about a cache that fails: until when to leave it alone, when it last said so."""

    def __init__(self) -> None:
        self.until: datetime | None = None
        self.logged_at: datetime | None = None

    def lasts(self, moment: datetime) -> bool:
        return self.until is not None and self.until - _REST <= moment < self.until

    def begins(self, moment: datetime) -> None:
        self.until = moment + _REST
        if self.logged_at is None or not self.logged_at <= moment < self.logged_at + _LOG_STEP:
            self.logged_at = moment
            logger.warning("The cache fails, so requests are not limited.", exc_info=True)


outage = _Outage()


class TokenRateThrottle(BaseThrottle):
    """Counts in fixed windows of a minute. While the cache is broken requests pass: events matter more than limits.

    A fixed window lets a burst across its edge reach twice the rate; it costs one atomic increment, and nobody's clock.
    """

    rate: Rate | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, HasRateKey):
            return True
        moment, limit = now(), settings.AEGIS_API_RATE
        window, passed = divmod(moment.timestamp(), WINDOW_SECONDS)
        used = count(f"api-rate:{request.auth.rate_key}:{int(window)}", moment)
        self.rate = Rate(limit, max(0, limit - (used or 0)), math.ceil(WINDOW_SECONDS - passed))
        return used is None or used <= limit

    def wait(self) -> float | None:
        return self.rate.reset_seconds if self.rate else None


def count(key: str, moment: datetime) -> int | None:
    """How many requests the window has seen, with this one. None when the cache can't tell."""
    if outage.lasts(moment):
        return None
    try:
        # `add` succeeds for one of many at once, and `incr` is atomic, so none is counted twice or lost.
        if cache.add(key, 1, timeout=2 * WINDOW_SECONDS):
            return 1
        return cache.incr(key)
    except Exception:
        outage.begins(moment)
        return None
