"""Recovering what a channel missed: deliveries that failed or were cancelled, and decisions that only a pause or a
suspension had stopped.

A job is worked on in steps of a few hundred rows, each in one transaction that also moves the job's cursors on. So a
step whose process died is simply done again by whoever takes the job over, and nothing is sent twice for it.

What a job covers: everything that was received, or created as a delivery, from its `since` to the moment it was asked
for. An event that was decided while the channel was stopped may be stored after the job has passed its place, and a
delivery cancelled; so a while after it is done the job looks again, for these alone.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.utils import InterfaceError, OperationalError

from aegisnotify import bulk
from aegisnotify.clock import now
from notifications.channels import registry
from notifications.delivery import wakeup
from notifications.intake.decisions import deliveries_for, let_through, project_json
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence, RecoveryJob
from notifications.routing import ChannelState, Decision, Outcome, Reason, RecipientState
from notifications.selectors.history import shown_since
from notifications.selectors.routing import recipients_of
from notifications.services.deliveries import require_able, require_in_plan
from notifications.services.hours import recount_soon
from projects.actors import Actor
from projects.entitlements import Category
from projects.errors import Conflict, Invalid
from projects.services import audit

logger = logging.getLogger(__name__)

STEP = 200
LEASE = timedelta(seconds=60)
# Longer than it takes to store an event or a result, once it is decided by what a channel was.
LATE = timedelta(minutes=2)
_REDELIVERED = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
_OPEN = (RecoveryJob.Status.QUEUED, RecoveryJob.Status.RUNNING)
_TO_DO = Q(status__in=_OPEN) | Q(look_again_at__isnull=False)
# Cancelled by what a channel was, not by somebody.
_STOPPED = (Reason.SUSPENDED.value, Reason.PAUSED.value, Reason.CHANNEL_OFF.value)


def start_recovery(actor: Actor, channel: Channel, since: datetime) -> RecoveryJob:
    """Queue a job that sends what `channel` missed since then, as far as the plan's history goes back.

    Raises `Conflict` while one is under way for the channel or the channel can't send, `PlanLimit` over the plan,
    `Invalid` for a moment in the future.
    """
    moment = now()
    if since > moment:
        raise Invalid({"since": ["Must not be in the future."]})
    since = max(since, shown_since(channel.project.workspace) or since)
    require_able(channel)
    require_in_plan(channel)
    workspace = channel.project.workspace
    job = RecoveryJob(workspace=workspace, channel=channel, since=since, until=moment, created_by=actor.user)
    job.total = _deliveries(job).count() + _occurrences(job).count()
    try:
        with transaction.atomic():
            job.save()
            audit.record(
                actor,
                "channel.recovery_started",
                channel,
                workspace=workspace,
                project=channel.project,
                changes={"since": (None, since.isoformat(timespec="seconds"))},
            )
    except IntegrityError as error:
        raise Conflict("What this channel missed is being recovered already. Wait until that is done.") from error
    transaction.on_commit(wakeup.wake_for_recovery, robust=True)
    return job


def work_on_recoveries(*, steps: int = 50) -> int:
    """Do up to `steps` steps of the jobs that wait; the number done."""
    done = 0
    while done < steps and (job := _take()) is not None:
        try:
            if not _step(job):
                break
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # It would fail again, and the channel could not be recovered for as long as the job is open.
            logger.exception("A step of the recovery %s could not be done.", job.pk)
            _give_up(job)
        done += 1
    return done


def _give_up(job: RecoveryJob) -> None:
    RecoveryJob.objects.filter(pk=job.pk).exclude(status__in=_OPEN).update(look_again_at=None, lease_until=None)
    RecoveryJob.objects.filter(pk=job.pk, status__in=_OPEN).update(
        status=RecoveryJob.Status.FAILED,
        error="It could not go on. This is a fault of ours and has been logged.",
        finished_at=now(),
        lease_until=None,
    )


def _take() -> RecoveryJob | None:
    """A job that waits, or one whose process has died, now leased to us."""
    moment = now()
    free = RecoveryJob.objects.filter(Q(lease_until=None) | Q(lease_until__lt=moment))
    waiting = free.filter(Q(status__in=_OPEN) | Q(look_again_at__lte=moment))
    for job in waiting.order_by("created_at")[:5]:
        status = RecoveryJob.Status.RUNNING if job.status in _OPEN else job.status
        if waiting.filter(pk=job.pk).update(status=status, lease_until=moment + LEASE):
            return job
    return None


@transaction.atomic
def _step(job: RecoveryJob) -> bool:
    """One step; whether there was anything to do. Finishes the job after its last one."""
    locked = (
        RecoveryJob.objects.select_for_update(of=("self",))
        .select_related("channel__project__workspace__plan")
        .filter(_TO_DO, pk=job.pk)
        .first()
    )
    if locked is None:
        # It was finished by whoever took it over, or went with its channel.
        return False
    job = locked
    channel = job.channel
    stopped = _why_stopped(channel)
    is_over = stopped is not None or not (_redeliver_some(job) or _deliver_some(job))
    if is_over and _looks_again(job):
        job.look_again_at = None
    elif stopped is not None:
        job.status, job.error, job.finished_at = RecoveryJob.Status.FAILED, stopped, now()
    elif is_over:
        job.status, job.finished_at = RecoveryJob.Status.DONE, now()
        # What fell out of the two lists meanwhile was done by somebody else.
        job.total = job.done
        job.look_again_at, job.delivery_cursor, job.occurrence_cursor = job.until + LATE, None, None
    job.lease_until = None
    job.save()
    transaction.on_commit(wakeup.wake, robust=True)
    return True


def _why_stopped(channel: Channel) -> str | None:
    try:
        require_able(channel)
    except Conflict as conflict:
        return conflict.message
    return None


def _looks_again(job: RecoveryJob) -> bool:
    return job.look_again_at is not None


def _deliveries(job: RecoveryJob) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(channel=job.channel, created_at__gte=job.since, created_at__lte=job.until)
    if _looks_again(job):
        return rows.filter(status=DeliveryStatus.CANCELLED, status_reason__in=_STOPPED)
    return rows.filter(status__in=_REDELIVERED)


def _occurrences(job: RecoveryJob) -> QuerySet[Occurrence]:
    since = max(job.since, job.until - LATE) if _looks_again(job) else job.since
    return Occurrence.objects.filter(project=job.channel.project_id, received_at__gte=since, received_at__lte=job.until)


def _after(rows: QuerySet[Any], cursor: UUID | None) -> list[Any]:
    # Ids are time-ordered, so walking along them needs no offset and meets nothing twice.
    rows = rows.order_by("pk")
    return list((rows.filter(pk__gt=cursor) if cursor else rows)[:STEP])


def _redeliver_some(job: RecoveryJob) -> bool:
    rows = _after(_deliveries(job).only("pk", "created_at"), job.delivery_cursor)
    if not rows:
        return False
    moment = now()
    sent = Delivery.objects.filter(pk__in=[row.pk for row in rows], status__in=_REDELIVERED).update(
        **_start(job.channel, moment),
        step=0,
        restarted_at=moment,
        status_reason="",
        interruptions=0,
        delivered_at=None,
    )
    recount_soon(job.workspace_id, (row.created_at for row in rows))
    job.delivery_cursor = rows[-1].pk
    _count(job, len(rows), sent)
    return True


def _deliver_some(job: RecoveryJob) -> bool:
    rows: list[Occurrence] = _after(_occurrences(job), job.occurrence_cursor)
    if not rows:
        return False
    state = _state(job.channel)
    project = project_json(job.channel.project)
    deliveries: list[Delivery] = []
    for row in rows:
        for decision in row.decisions:
            if decision["channel_id"] == state.id and _is_open(decision):
                deliveries += deliveries_for(row, [_recovered(decision, state)], project)
    moment = now()
    for delivery in deliveries:
        delivery.created_at = moment
        for name, value in _start(job.channel, moment).items():
            setattr(delivery, name, value)
    inserted = bulk.insert_unknown(deliveries)
    _note_in_decisions({row.occurrence_id for row in deliveries}, state.id, moment)
    job.occurrence_cursor = rows[-1].pk
    _count(job, len(rows), len(inserted))
    return True


def _count(job: RecoveryJob, seen: int, sent: int) -> None:
    job.sent += sent
    if not _looks_again(job):
        job.done += seen


def _is_open(decision: dict[str, Any]) -> bool:
    """Whether something of it was held back and not made up for yet."""
    return decision["recoverable"] and (bool(decision.get("missed")) or not decision["deliveries"])


def _start(channel: Channel, moment: datetime) -> dict[str, Any]:
    """A channel that collects for its digest gets what it missed with the next one, not as a heap of single mails."""
    if channel.mode == Channel.Mode.DAILY_DIGEST:
        return {"status": DeliveryStatus.HELD, "next_at": None}
    return {"status": DeliveryStatus.PENDING, "next_at": moment}


def _state(channel: Channel) -> ChannelState:
    recipients = recipients_of(channel.project, [channel]).get(channel.pk, ())
    return ChannelState(
        id=str(channel.pk),
        key=channel.key,
        name=channel.name,
        kind=channel.kind,
        category=registry.get(channel.kind).category,
        recipients=recipients,
    )


def _recovered(stored: dict[str, Any], state: ChannelState) -> Decision:
    """The decision as it would have been without the pause or suspension: filters as of then, addresses as of today."""
    events = tuple(stored.get("missed") or let_through(stored))
    confirmed = tuple(each for each in state.recipients if each.state is RecipientState.CONFIRMED)
    if state.category is Category.EMAIL and not confirmed:
        events = ()
    return Decision(
        channel=state,
        outcome=Outcome.SENT,
        reason=Reason(stored["reason"]),
        event=stored["event"],
        recoverable=False,
        gates=(),
        events=events if state.category is Category.WEBHOOK else events[:1],
        recipients=confirmed,
    )


def _note_in_decisions(occurrences: set[UUID], channel_id: str, moment: datetime) -> None:
    """The trace goes on saying why nothing was sent then, and tells of the deliveries that made up for it: of those
    that are there, which a process that died or a late event may have made before."""
    by_occurrence: dict[UUID, list[str]] = {}
    made = Delivery.objects.filter(occurrence__in=occurrences, channel=UUID(channel_id)).order_by("pk")
    for occurrence_id, pk in made.values_list("occurrence_id", "pk"):
        by_occurrence.setdefault(occurrence_id, []).append(str(pk))
    rows = Occurrence.objects.select_for_update().filter(pk__in=by_occurrence).order_by("pk")
    for row in rows:
        for decision in row.decisions:
            if decision["channel_id"] == channel_id:
                # Each once, those that were listed already first.
                decision["deliveries"] = list(dict.fromkeys([*decision["deliveries"], *by_occurrence[row.pk]]))
                if decision.pop("missed", None):
                    decision["recoverable"] = False
                decision["recovered_at"] = moment.isoformat(timespec="seconds")
        row.save(update_fields=["decisions"])
