"""From claimed rows to jobs: a handful of queries for a whole batch, so that sender threads need none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from aegisnotify.clock import now
from notifications.addresses.links import unsubscribe_url
from notifications.catalog import OccurrenceKind
from notifications.channels import registry
from notifications.channels.base import ChannelKind, Context
from notifications.delivery.outbox import Settled
from notifications.delivery.sending import Job, Material
from notifications.insight.sentences import why_told
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence
from notifications.routing import Reason
from notifications.selectors.channels import is_paused
from notifications.services.channels import activate_due_secret
from projects.entitlements import Category
from projects.models import Membership, Project, User

CHANNEL_DELETED = "channel_deleted"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed delivery, its channel and its job; `settled` instead of a job where nothing is to be sent now."""

    delivery: Delivery
    channel: Channel | None
    job: Job | None = None
    settled: Settled | None = None


def prepare(rows: Iterable[Delivery]) -> list[Prepared]:
    rows = list(rows)
    moment = now()
    channels = _channels(rows, moment)
    material = _Materials(rows)
    prepared = []
    for row in rows:
        channel = channels.get(row.channel_id)
        settled = stop_or_wait(row, channel, moment)
        if settled is not None:
            prepared.append(Prepared(row, channel, settled=settled))
            continue
        assert channel is not None
        kind = registry.get(row.kind)
        prepared.append(Prepared(row, channel, job=_job(row, channel, kind, material)))
    return prepared


def _channels(rows: Iterable[Delivery], moment: datetime) -> dict[Any, Channel]:
    """The rows' channels, each with the secret that signs at `moment`."""
    return {
        pk: activate_due_secret(channel)
        if channel.secret_activates_at is not None and channel.secret_activates_at <= moment
        else channel
        for pk, channel in Channel.objects.in_bulk({row.channel_id for row in rows if row.channel_id}).items()
    }


def stop_or_wait(row: Delivery, channel: Channel | None, moment: datetime) -> Settled | None:
    """What keeps a claimed delivery from being tried now: a channel that is off, or one that must wait."""
    reason = (
        CHANNEL_DELETED
        if channel is None
        else Reason.CHANNEL_OFF.value
        if not channel.enabled
        else Reason.PAUSED.value
        if is_paused(channel, moment)
        else Reason.SUSPENDED.value
        if channel.suspended_at is not None
        else None
    )
    if reason is not None:
        return Settled(row.pk, DeliveryStatus.CANCELLED, row.step, None, reason=reason, uncount=True)
    assert channel is not None
    if channel.not_before is not None and channel.not_before > moment:
        waiting = DeliveryStatus.RETRYING if row.attempt_count > 1 else DeliveryStatus.PENDING
        return Settled(row.pk, waiting, row.step, channel.not_before, reason=row.status_reason, uncount=True)
    return None


def _job(row: Delivery, channel: Channel, kind: ChannelKind, materials: "_Materials") -> Job:
    return Job(
        delivery_id=str(row.pk),
        kind=kind,
        event=row.event,
        config=channel.config,
        recipient=row.recipient,
        body=row.body,
        material=materials.of(row) if kind.category is not Category.WEBHOOK else None,
    )


class _Materials:
    """What the people's messages of a batch are made of, loaded once."""

    def __init__(self, rows: Iterable[Delivery]) -> None:
        rows = [row for row in rows if registry.get(row.kind).category is not Category.WEBHOOK]
        self._occurrences = Occurrence.objects.in_bulk({row.occurrence_id for row in rows})
        self._projects = Project.objects.select_related("workspace").in_bulk({row.project_id for row in rows})
        addresses = {row.recipient for row in rows if row.recipient}
        self._users = {user.email: user for user in User.objects.filter(email__in=addresses)} if addresses else {}
        self._members: set[tuple[int, int]] = (
            set(
                Membership.objects.filter(
                    user__in=self._users.values(), workspace__in={row.workspace_id for row in rows}
                ).values_list("workspace_id", "user_id")
            )
            if self._users
            else set()
        )

    def of(self, row: Delivery) -> Material:
        occurrence, project = self._occurrences[row.occurrence_id], self._projects[row.project_id]
        user = self._users.get(row.recipient)
        is_member = user is not None and (row.workspace_id, user.pk) in self._members
        return Material(
            kind=OccurrenceKind(occurrence.kind),
            facts=occurrence.facts,
            project_name=project.name,
            occurred_at=occurrence.occurred_at,
            context=Context(
                delivery_id=str(row.pk),
                project_id=str(row.project_id),
                zone=user.zone if user is not None and is_member else project.workspace.zone,
                event_url=event_url(occurrence.pk),
                reason=_reason(row, occurrence, project),
                recipient=row.recipient,
                is_member=is_member,
                unsubscribe_url=unsubscribe_url(str(row.project_id), row.recipient) if row.recipient else "",
                preferences_url=f"{settings.AEGIS_BASE_URL}{reverse('overview')}" if is_member else "",
            ),
        )


def event_url(occurrence_id: Any) -> str:
    """The page that says who was told of an occurrence, and why."""
    return f"{settings.AEGIS_BASE_URL}{reverse('event_why', args=[occurrence_id])}"


def _reason(row: Delivery, occurrence: Occurrence, project: Project) -> str:
    decision = next((item for item in occurrence.decisions if item["channel_id"] == str(row.channel_id)), None)
    reason = Reason(decision["reason"]) if decision else None
    return why_told(row.event, project.name, registry.get(row.kind).label.lower(), reason)
