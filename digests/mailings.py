"""The states of a mailing, each changed by one conditional update.

claimed (again after its lease) → handing over (never sent again: a death here is `failed: interrupted`) → sent. A mail
that the server certainly did not take goes back to claimed, and is tried three times in all.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from digests.models import Mailing, MailingKind, MailingState, SkipReason
from digests.models.mailings import FailReason

LEASE = timedelta(minutes=5)
# Longer than handing one mail over can take, every answer of the server being slow.
HANDING_OVER = timedelta(minutes=10)
TRIES = 3
# Of processes that die with a batch one mail is the cause. From so many claims on they are taken one at a time, so that
# the others get through, and that one is given up after so many.
SUSPECT, MOST_CLAIMS = 3, 10
KEPT = timedelta(days=400)
FORGOTTEN_AT_ONCE = 5000
WAITS = (timedelta(minutes=10), timedelta(hours=2))


def claimed(
    kind: MailingKind, key: str, recipient: str, *, token: uuid.UUID, due_at: datetime, moment: datetime, **fields: Any
) -> Mailing:
    """A new one, unsaved, claimed under `token`. `key` names kind, receiver and period."""
    return Mailing(
        kind=kind,
        key=key,
        recipient=recipient,
        due_at=due_at,
        state=MailingState.CLAIMED,
        claims=1,
        lease_token=token,
        lease_until=moment + LEASE,
        created_at=moment,
        **fields,
    )


def skipped(
    kind: MailingKind,
    key: str,
    recipient: str,
    reason: SkipReason,
    *,
    due_at: datetime,
    moment: datetime,
    **fields: Any,
) -> Mailing:
    """One that is not sent, unsaved."""
    return Mailing(
        kind=kind,
        key=key,
        recipient=recipient,
        due_at=due_at,
        state=MailingState.SKIPPED,
        reason=reason,
        created_at=moment,
        finished_at=moment,
        **fields,
    )


def store(rows: Iterable[Mailing]) -> list[Mailing]:
    """Insert new ones; those whose key was new. Call it in the transaction of the claim."""
    rows = list(rows)
    Mailing.objects.bulk_create(rows, ignore_conflicts=True)
    known = set(Mailing.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [row for row in rows if row.pk in known]


@transaction.atomic
def reclaim(limit: int, token: uuid.UUID, moment: datetime) -> list[Mailing]:
    """Claimed ones whose lease is over: their process died, or their next try is due. Now leased under `token`."""
    due = Mailing.objects.select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked, of=("self",)
    )
    rows = list(
        due.filter(state=MailingState.CLAIMED, lease_until__lte=moment, claims__lt=MOST_CLAIMS).order_by(
            "lease_until", "pk"
        )[:limit]
    )
    if any(row.claims >= SUSPECT and row.lease_token for row in rows):
        rows = rows[:1]
    ids = [row.pk for row in rows]
    Mailing.objects.filter(pk__in=ids).update(lease_token=token, lease_until=moment + LEASE, claims=F("claims") + 1)
    return sorted(Mailing.objects.filter(pk__in=ids), key=lambda row: row.pk)


def waiting(kind: MailingKind, moment: datetime) -> list[Mailing]:
    """Those of a kind that `reclaim` would take."""
    due = Mailing.objects.filter(kind=kind, state=MailingState.CLAIMED, lease_until__lte=moment, claims__lt=MOST_CLAIMS)
    return list(due.order_by("lease_until"))


def lost(limit: int, moment: datetime) -> list[Mailing]:
    """Those that will not be tried again: their process died handing them over, or processes died with them often."""
    unfinished = Mailing.objects.filter(lease_until__lte=moment)
    gone = unfinished.filter(state=MailingState.HANDING_OVER) | unfinished.filter(
        state=MailingState.CLAIMED, claims__gte=MOST_CLAIMS
    )
    return list(gone.order_by("lease_until")[:limit])


def begin(mailing: Mailing, subject: str, moment: datetime) -> bool:
    """From claimed to handing over. False when another process has it by now: then don't send."""
    changed = _ours(mailing, MailingState.CLAIMED).update(
        state=MailingState.HANDING_OVER,
        subject=subject[:300],
        tries=F("tries") + 1,
        lease_until=moment + HANDING_OVER,
    )
    mailing.tries += 1
    mailing.state = MailingState.HANDING_OVER
    return bool(changed)


def sent(mailing: Mailing, moment: datetime) -> bool:
    return _finish(mailing, MailingState.SENT, moment)


def skip(mailing: Mailing, reason: SkipReason, moment: datetime) -> bool:
    return _finish(mailing, MailingState.SKIPPED, moment, reason)


def fail(mailing: Mailing, reason: FailReason, moment: datetime, detail: str = "") -> bool:
    return _finish(mailing, MailingState.FAILED, moment, reason, detail)


def try_later(mailing: Mailing, moment: datetime, detail: str, last: FailReason = FailReason.MAIL_SERVER) -> bool:
    """The server certainly did not take it. After the last try it has failed; the answer is whether it has."""
    if mailing.state == MailingState.CLAIMED:
        # The server could not be asked, or there was no mail to send: that is a try, too.
        mailing.tries += 1
    if mailing.tries >= TRIES:
        return fail(mailing, last, moment, detail)
    _ours(mailing, mailing.state).update(
        state=MailingState.CLAIMED,
        tries=mailing.tries,
        claims=0,
        lease_token=None,
        lease_until=moment + WAITS[mailing.tries - 1],
        detail=detail[:500],
    )
    mailing.state = MailingState.CLAIMED
    return False


def renew(rows: Iterable[Mailing], token: uuid.UUID, moment: datetime) -> None:
    """Extend the lease of claimed ones that still wait in this process."""
    ours = Mailing.objects.filter(pk__in=[row.pk for row in rows], state=MailingState.CLAIMED, lease_token=token)
    ours.update(lease_until=moment + LEASE)


def give_back(rows: Iterable[Mailing], token: uuid.UUID, moment: datetime) -> None:
    """Untried ones, for the next process: their claim does not count."""
    ours = Mailing.objects.filter(pk__in=[row.pk for row in rows], state=MailingState.CLAIMED, lease_token=token)
    ours.update(lease_token=None, lease_until=moment, claims=F("claims") - 1)


def forget_old(moment: datetime) -> int:
    """Delete up to `FORGOTTEN_AT_ONCE` that are over for more than a year: their periods don't come back."""
    old = Mailing.objects.filter(created_at__lt=moment - KEPT, finished_at__isnull=False).order_by("created_at", "pk")
    ids = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    Mailing.objects.filter(pk__in=ids).delete()
    return len(ids)


def digest_sent_since(recipients: Iterable[str], since: datetime) -> dict[str, datetime]:
    """When the last digest, weekly or daily, went to each of the addresses, of those that had one since then."""
    rows = Mailing.objects.filter(
        recipient__in=set(recipients),
        finished_at__gte=since,
        state=MailingState.SENT,
        kind__in=[MailingKind.WEEKLY, MailingKind.DAILY],
    )
    found = rows.order_by("finished_at").values_list("recipient", "finished_at")
    return {recipient: at for recipient, at in found if at is not None}


def _ours(mailing: Mailing, state: str) -> Any:
    return Mailing.objects.filter(pk=mailing.pk, state=state, lease_token=mailing.lease_token)


def _finish(mailing: Mailing, state: MailingState, moment: datetime, reason: str = "", detail: str = "") -> bool:
    changed = _ours(mailing, mailing.state).update(
        state=state,
        reason=reason,
        detail=detail[:500],
        tries=mailing.tries,
        lease_token=None,
        lease_until=None,
        finished_at=moment,
    )
    if changed:
        mailing.state, mailing.reason, mailing.finished_at = state, reason, moment
    return bool(changed)
