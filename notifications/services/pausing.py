"""Pausing a channel until a moment, and putting a stopped one to work again."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from aegisnotify.clock import now
from notifications.delivery.recording import suspend as suspend_for_failing
from notifications.models import Channel
from notifications.selectors.channels import is_paused
from notifications.services.deliveries import release
from projects.actors import Actor
from projects.errors import Invalid
from projects.services import audit

LONGEST_PAUSE = timedelta(days=366)


@transaction.atomic
def pause_channel(actor: Actor, channel: Channel, until: datetime) -> Channel:
    """Send nothing until then; what happens meanwhile can be recovered. A later moment replaces an earlier one.

    Raises `Invalid` for a moment that is not in the future, or more than a year away.
    """
    moment = now()
    if not moment < until <= moment + LONGEST_PAUSE:
        raise Invalid({"until": ["Must be in the future, and within a year."]})
    row = _lock(channel)
    changes: dict[str, tuple[Any, Any]] = {"paused_until": (_shown(row.paused_until), _shown(until))}
    row.paused_until, row.paused_by = until, actor.user
    row.save(update_fields=["paused_until", "paused_by"])
    _audit(actor, row, "channel.paused", changes)
    return row


@transaction.atomic
def resume_channel(actor: Actor, channel: Channel) -> Channel:
    """End a pause or a suspension by hand. A channel that is neither stays as it is."""
    row = _lock(channel)
    changes: dict[str, tuple[Any, Any]] = {}
    if is_paused(row, now()):
        changes["paused_until"] = (_shown(row.paused_until), None)
    if row.suspended_at is not None:
        changes["suspended"] = (row.suspended_reason, None)
    if not changes:
        return row
    release(row)
    row.paused_until = row.paused_by = None
    row.suspended_at, row.suspended_reason = None, ""
    row.failures_in_a_row, row.warned_stage = 0, ""
    row.first_failure_at = row.failing_since = row.not_before = row.breaker_open_until = None
    row.breaker_window_at, row.breaker_tries, row.breaker_failures = None, 0, 0
    row.save()
    _audit(actor, row, "channel.resumed", changes)
    return row


def suspend_channel(actor: Actor, channel: Channel, reason: str) -> None:
    """Stop a channel by hand, as staff may: until a good test or somebody resumes it."""
    suspend_for_failing(channel, reason, actor=actor)


def _lock(channel: Channel) -> Channel:
    return Channel.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=channel.pk)


def _audit(actor: Actor, channel: Channel, action: str, changes: audit.Changes) -> None:
    project = channel.project
    audit.record(actor, action, channel, workspace=project.workspace, project=project, changes=changes)


def _shown(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
