"""How often something may be done: for what sends mail to strangers, makes rows for anybody, or tries a password."""

import hashlib
import logging
from datetime import timedelta

from django.core.cache import cache

logger = logging.getLogger(__name__)


def allowed(what: str, whose: object, limit: int, within: timedelta) -> bool:
    """Count one try of `what` by `whose`; False once there were `limit` tries in the window that the first one began.

    While the cache is broken everything is allowed: nobody is locked out of their account by our fault.
    """
    key = _key(what, whose)
    try:
        # `add` succeeds for one of many at once, and `incr` is atomic, so no try is counted twice or lost.
        if cache.add(key, 1, timeout=int(within.total_seconds())):
            return True
        return cache.incr(key) <= limit
    except ValueError:
        # The window ended between the two.
        return True
    except Exception as error:
        logger.warning("The cache fails, so “%s” is not limited: %s", what, type(error).__name__)
        return True


def forget(what: str, whose: object) -> None:
    """Start the count anew: only failures in a row were to be limited, and this try was none."""
    try:
        cache.delete(_key(what, whose))
    except Exception as error:
        logger.warning("The cache fails, so “%s” is still counted: %s", what, type(error).__name__)


def _key(what: str, whose: object) -> str:
    return f"rate:{what}:{hashlib.sha256(str(whose).encode()).hexdigest()}"
