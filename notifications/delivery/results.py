"""What came of a job, and the rows that say so: the delivery's new state and its attempt. No database."""

from dataclasses import dataclass
from datetime import datetime

from aegisnotify import bulk
from aegisnotify.clock import now
from notifications.channels import registry
from notifications.delivery import policy
from notifications.delivery.outbox import Settled
from notifications.delivery.preparing import Prepared, wait
from notifications.delivery.scrub import scrub, secrets_of
from notifications.delivery.sending import Tried
from notifications.models import Attempt, Delivery, DeliveryStatus
from projects.entitlements import Category


@dataclass(frozen=True, slots=True)
class Result:
    """What a sender thread did with a job: a try, or none because the target asked meanwhile to be left alone, or the
    lease is over."""

    prepared: Prepared
    tried: Tried | None
    held_until: datetime | None = None


def settled_of(result: Result, moment: datetime) -> Settled:
    row, tried = result.prepared.delivery, result.tried
    if tried is None:
        return wait(row, result.held_until or moment)
    kind = registry.get(row.kind)
    decided = policy.settle(
        tried.reading,
        ladder=policy.WEBHOOK if kind.category is Category.WEBHOOK else policy.PEOPLE,
        step=row.step,
        created_at=row.restarted_at or row.created_at,
        now=moment,
        jitter=tried.jitter,
    )
    delivered = decided.status == "delivered"
    return Settled(
        row.pk,
        DeliveryStatus(decided.status),
        decided.step,
        decided.next_at,
        delivered_at=moment if delivered else None,
        body=tried.body,
        reason=decided.reason[:500],
        uncount=tried.reading.is_no_try,
    )


def attempt_of(prepared: Prepared, tried: Tried) -> Attempt:
    row = prepared.delivery
    assert prepared.job is not None
    return bulk.new(
        Attempt,
        delivery_id=row.pk,
        number=row.attempt_count,
        at=tried.started_at,
        duration_ms=tried.answer.duration_ms,
        status_code=tried.answer.status,
        outcome=tried.reading.verdict.value,
        error=tried.reading.sentence[:500],
        response=scrub(tried.answer.body, secrets_of(prepared.job.config)),
    )


def interrupted_attempt(row: Delivery) -> Attempt:
    """The try that was begun under an earlier lease and never came to an end."""
    return Attempt(
        delivery_id=row.pk,
        number=row.attempt_count - 1,
        at=now(),
        outcome=Attempt.Outcome.INTERRUPTED,
        error="The process that made this try ended before it knew the answer. The delivery is tried again.",
    )
