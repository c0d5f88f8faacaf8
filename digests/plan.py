"""Who would get what now, and why not: the real claims and mails, made in a transaction that is rolled back.

So it can't differ from what the worker does, and locks what it looks at for as long as it takes: it is for people who
look, not for a schedule.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from digests import mailings
from digests.models import MailingKind, MailingState, SkipReason
from digests.pipeline import AT_ONCE, Kind
from digests.tasks import KINDS, keep_clocks

# Enough to look at. A million lines help nobody, and lock as many rows.
MOST = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """`reason` is None for what would be sent."""

    recipient: str
    what: str
    reason: SkipReason | None


def due(moment: datetime) -> Iterator[Line]:
    """What is due now, at most `MOST` of each kind."""
    with transaction.atomic():
        keep_clocks(moment)
        lines = [line for kind in KINDS for line in _due(kind, moment)]
        transaction.set_rollback(True)
    yield from lines


def _due(kind: Kind, moment: datetime) -> Iterator[Line]:
    token, found = uuid.uuid4(), 0
    name = MailingKind(kind.name).label.lower()
    for row in mailings.waiting(kind.name, moment):
        yield Line(row.recipient, f"the {name} that was not sent yet", None)
    while found < MOST:
        claim = kind.claim(token, moment, AT_ONCE)
        if not claim.moved:
            return
        for row in claim.rows:
            if row.state == MailingState.SKIPPED:
                yield Line(row.recipient, f"the {name}", SkipReason(row.reason))
        for row, made in kind.make([row for row in claim.rows if row.state == MailingState.CLAIMED], moment):
            if isinstance(made, EmailMessage):
                yield Line(row.recipient, f"“{made.subject}”", None)
            else:
                yield Line(row.recipient, f"the {name}", made)
        found += claim.moved
