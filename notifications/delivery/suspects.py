"""Deliveries whose process died under them more than once: which of a batch may be tried now, one at a time.

The one that kills its process then dies alone, and the others, which only shared a batch with it, get delivered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.delivery.outbox import SUSPECT, Settled
from notifications.delivery.preparing import MOST_INTERRUPTIONS, wait
from notifications.models import Delivery

# Each waits so long behind the one before. With a second for a whole batch a thousand innocent ones, claimed by
# clusters that were killed again and again, waited for a quarter of an hour.
STEP = timedelta(seconds=0.1)
# The wait of one whose turn it is, for a sender.
NO_ROOM = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A claimed batch: what may go, the suspect among it, and what is given back until the suspect is done."""

    going: Sequence[Delivery]
    suspect: Delivery | None
    waiting: Sequence[Settled]


def sort(rows: Sequence[Delivery], moment: datetime, *, busy: bool) -> Sorted:
    """`busy`: a suspect is under way already. Those whose limit is reached are no suspects any more."""
    suspects = [row for row in rows if SUSPECT <= row.interruptions < MOST_INTERRUPTIONS]
    picked = suspects[0] if suspects and not busy else None
    held = [row for row in suspects if row is not picked]
    ids = {row.pk for row in held}
    return Sorted(
        [row for row in rows if row.pk not in ids],
        picked,
        [wait(row, moment + place * STEP) for place, row in enumerate(held, 1)],
    )
