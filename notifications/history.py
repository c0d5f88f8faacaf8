"""How long history is kept and shown, from what the plan says: pure.

A plan limits what is shown. Detail is kept for 15 days at least, because a week is compared with the one before it on
every plan; and that something was reported is remembered for 400 days, so that a late repeat tells nobody twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_DETAIL = timedelta(days=15)
LEAST_KEYS = timedelta(days=400)
# What somebody looks at or recovers at the edge of what is shown must not go while they do.
MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class History:
    """Three moments of one workspace; None: all of it.

    What is older than `shown_since` is on no page and in no answer, than `kept_since` is deleted but for the keys of
    occurrences, than `known_since` is gone altogether.
    """

    shown_since: datetime | None
    kept_since: datetime | None
    known_since: datetime | None


def history(days: int | None, moment: datetime) -> History:
    """`days`: what the plan keeps; None is all."""
    if days is None:
        return History(None, None, None)
    span = timedelta(days=days)
    return History(moment - span, moment - max(span + MARGIN, LEAST_DETAIL), moment - max(span + MARGIN, LEAST_KEYS))
