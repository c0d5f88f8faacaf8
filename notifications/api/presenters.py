"""Rows in the shapes of the API."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from aegisnotify.errors import body_of, status_of
from notifications.channels import registry
from notifications.intake.recording import Recorded
from notifications.models import Attempt, Channel, ChannelRecipient, Delivery, DeliveryStatus, Occurrence
from notifications.routing import Recipient
from notifications.selectors.channels import is_paused, over_plan_limit
from notifications.selectors.health import ChannelHealth
from notifications.selectors.routing import recipients_of
from notifications.services.channels import Saved
from projects.errors import ServiceError
from projects.models import Project
from projects.selectors import limits_of

_WAITING = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)


def recorded(result: Recorded) -> dict[str, Any]:
    occurrence = result.occurrence
    return {
        "id": str(occurrence.pk),
        "fired": occurrence.fired_events,
        "decisions": occurrence.decisions,
        "duplicate": result.duplicate,
    }


def recorded_status(result: Recorded) -> int:
    return 200 if result.duplicate else 202


def batch_item(result: Recorded | ServiceError) -> dict[str, Any]:
    """What posting the item alone would have answered, beside its status."""
    if isinstance(result, ServiceError):
        return {"status": status_of(result), **body_of(result.code, result.message, result.details)}
    return {"status": recorded_status(result), **recorded(result)}


def occurrence(row: Occurrence) -> dict[str, Any]:
    """Needs the project loaded."""
    return {
        "id": str(row.pk),
        "project": row.project.slug,
        "kind": row.kind,
        "source_id": row.source_id,
        "fired": row.fired_events,
        "occurred_at": row.occurred_at,
        "received_at": row.received_at,
        "decisions": row.decisions,
    }


def delivery(row: Delivery) -> dict[str, Any]:
    """Needs project, channel and attempts loaded. A deleted channel is shown by the key it had."""
    return {
        "id": str(row.pk),
        "event_id": str(row.occurrence_id),
        "project": row.project.slug,
        "channel": row.channel.key if row.channel else row.channel_key,
        "kind": row.kind,
        "recipient": row.recipient or None,
        "event": row.event,
        "status": row.status,
        "status_reason": row.status_reason or None,
        "attempt_count": row.attempt_count,
        # While a try is under way the column holds the end of its lease, which is no try.
        "next_attempt_at": row.next_at if row.status in _WAITING else None,
        "created_at": row.created_at,
        "delivered_at": row.delivered_at,
        "attempts": [_attempt(attempt) for attempt in row.attempts.all()],
    }


def _attempt(row: Attempt) -> dict[str, Any]:
    return {
        "at": row.at,
        "duration_ms": row.duration_ms,
        "status_code": row.status_code,
        "outcome": row.outcome,
        "error": row.error or None,
        "response": row.response,
    }


class ChannelPresenter:
    """Presents channels of one project at one moment.

    Which of them the plan carries depends on all of them, so all are loaded, without their secrets: a fixed number of
    queries, however many are presented.
    """

    def __init__(self, project: Project, moment: datetime) -> None:
        """`project` with its workspace and plan loaded."""
        everybody = list(
            project.channels.defer("config").prefetch_related(
                Prefetch("recipients", queryset=ChannelRecipient.objects.order_by("position", "pk"))
            )
        )
        self._moment = moment
        self._over = over_plan_limit(limits_of(project.workspace.plan), everybody)
        self._recipients = recipients_of(project, everybody)

    def __call__(self, channel: Channel) -> dict[str, Any]:
        return {
            "id": str(channel.pk),
            "key": channel.key,
            "kind": channel.kind,
            "name": channel.name,
            "enabled": channel.enabled,
            "position": channel.position,
            "target": registry.get(channel.kind).target(channel.config),
            "recipients": _recipients(self._recipients.get(channel.pk, ())),
            "mode": channel.mode,
            "digest_time": channel.digest_time.strftime("%H:%M") if channel.digest_time else None,
            "health": _health(channel).value,
            "suspended_reason": channel.suspended_reason or None,
            "paused_until": channel.paused_until if is_paused(channel, self._moment) else None,
            "over_plan_limit": channel.pk in self._over,
            "overrides": {override.event: override.enabled for override in channel.overrides.all()},
            "secret_activates_at": channel.secret_activates_at,
            "last_delivered_at": channel.last_success_at,
            "last_error": channel.last_error or None,
            "last_error_at": channel.last_error_at,
            "created_at": channel.created_at,
        }


def saved_channel(saved: Saved, present: ChannelPresenter) -> dict[str, Any]:
    """A channel as the request that wrote it sees it: with warnings, and the secret if it was generated just now."""
    secret = {"secret": saved.new_secret} if saved.new_secret is not None else {}
    return {**present(saved.channel), **secret, "warnings": list(saved.warnings)}


def _recipients(recipients: Iterable[Recipient]) -> list[Mapping[str, str]]:
    return [{"email": recipient.email, "state": recipient.state.value} for recipient in recipients]


def _health(channel: Channel) -> ChannelHealth:
    """Of what the channel was told by its target only: switched off, paused and over the plan stand beside it.

    A success sets the failures in a row to zero, so one that fails has failed since its last success.
    """
    if channel.suspended_at is not None:
        return ChannelHealth.SUSPENDED
    return ChannelHealth.FAILING if channel.failures_in_a_row else ChannelHealth.HEALTHY
