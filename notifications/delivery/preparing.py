"""From claimed rows to jobs: a handful of queries for a whole batch, so that sender threads need none."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from aegisnotify.clock import now
from aegisnotify.encryption import DecryptionError
from notifications.addresses.links import unsubscribe_url
from notifications.addresses.selectors import recipient_states_by_project
from notifications.catalog import OccurrenceKind
from notifications.channels import registry
from notifications.channels.base import ChannelKind, Context
from notifications.delivery.health import Target
from notifications.delivery.outbox import Settled
from notifications.delivery.pace import reserve
from notifications.delivery.policy import OUR_PAUSE, pause_by_age
from notifications.delivery.recording import health_of, take_probe
from notifications.delivery.sending import Job, Material
from notifications.insight.sentences import why_told
from notifications.models import Channel, Delivery, DeliveryStatus, Occurrence
from notifications.routing import Reason, RecipientState
from notifications.selectors.channels import is_paused
from notifications.services.channels import activate_due_secret
from projects.entitlements import Category
from projects.models import Membership, Project, User

logger = logging.getLogger(__name__)

CHANNEL_DELETED = "channel_deleted"


# A delivery whose process died this often in a row is what kills it.
MOST_INTERRUPTIONS = 5
SLOT_IS_GOOD_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed delivery, its channel and its job; `settled` instead of a job where nothing is to be sent now."""

    delivery: Delivery
    channel: Channel | None
    job: Job | None = None
    settled: Settled | None = None

    @property
    def host(self) -> str | None:
        """What its queue is kept by; None where there is no job."""
        return self.job.kind.host(self.job.config) if self.job is not None else None

    @property
    def target(self) -> Target:
        return self.delivery.channel_id, self.channel.target_fingerprint if self.channel is not None else ""


def prepare(rows: Iterable[Delivery]) -> list[Prepared]:
    rows = list(rows)
    moment = now()
    gates = _Gates(rows, moment)
    material = _Materials(rows)
    prepared = []
    for row in rows:
        channel = gates.channels.get(row.channel_id)
        settled = gates.settled(row)
        job = None
        if settled is None:
            assert channel is not None
            try:
                job = _job(row, channel, registry.get(row.kind), material)
            except Exception:
                # One that can't be prepared must not stop those that were claimed beside it.
                logger.exception("Delivery %s could not be prepared.", row.pk)
                reason = "The message could not be prepared. This is a fault of ours and has been logged."
                settled = Settled(row.pk, DeliveryStatus.FAILED, row.step, None, reason=reason, uncount=True)
        prepared.append(Prepared(row, channel, job, settled))
    return prepared


# What a channel's owner may change while its deliveries wait for a sender. A new secret shows by its moment.
_OWNERS = ("enabled", "paused_until", "suspended_at", "target_fingerprint", "secret_activates_at")


def outdated(waiting: Iterable[Prepared], moment: datetime) -> set[UUID]:
    """The ids of the deliveries whose channel has been stopped, moved or deleted since they were prepared, or signs
    with another secret by now."""
    read = [(item.delivery.pk, item.channel) for item in waiting if item.channel is not None]
    ids = {channel.pk for _, channel in read}
    current = {pk: tuple(values) for pk, *values in Channel.objects.filter(pk__in=ids).values_list("pk", *_OWNERS)}
    return {
        pk
        for pk, channel in read
        if current.get(channel.pk) != tuple(getattr(channel, name) for name in _OWNERS)
        or (channel.secret_activates_at is not None and channel.secret_activates_at <= moment)
    }


class _Gates:
    """What keeps claimed deliveries from being tried now, decided for a whole batch at one moment."""

    def __init__(self, rows: list[Delivery], moment: datetime) -> None:
        self._moment = moment
        self.channels, self._unreadable = _channels(rows, moment)
        self._states = _states(rows)
        self._probed: dict[Any, bool] = {}
        self._next_probes: set[Any] = set()
        self._slots = self._reserve_slots(rows)

    def settled(self, row: Delivery) -> Settled | None:
        """None where the delivery is to be tried."""
        if row.interruptions >= MOST_INTERRUPTIONS:
            reason = f"The process that sent it died {row.interruptions} times in a row. This is a fault of ours."
            return Settled(row.pk, DeliveryStatus.FAILED, row.step, None, reason=reason)
        if row.channel_id in self._unreadable:
            return wait(row, self._moment + OUR_PAUSE)
        channel = self.channels.get(row.channel_id)
        stopped = _stopped(channel, self._moment) or self._recipient_stopped(row)
        if stopped is not None:
            return Settled(row.pk, DeliveryStatus.CANCELLED, row.step, None, reason=stopped, uncount=True)
        assert channel is not None
        slot = self._slots.get(row.pk, row.slot_at)
        if (until := self._asked_to_wait(row, channel)) is not None:
            return wait(row, until, slot)
        if (until := self._held_by_breaker(row, channel)) is not None:
            return wait(row, until, slot, behind_breaker=True)
        return wait(row, slot, slot) if slot is not None and slot > self._moment else None

    def _recipient_stopped(self, row: Delivery) -> str | None:
        """Why its address gets no mail any more: between intake and a late retry people opt out and leave."""
        state = self._states.get((row.project_id, row.recipient))
        return None if state in (None, RecipientState.CONFIRMED) else state.value

    def _asked_to_wait(self, row: Delivery, channel: Channel) -> datetime | None:
        if channel.not_before is not None and channel.not_before > self._moment:
            return channel.not_before
        return None

    def _held_by_breaker(self, row: Delivery, channel: Channel) -> datetime | None:
        breaker = health_of(channel).breaker
        if breaker.wants_probe(self._moment):
            if channel.pk not in self._probed:
                self._probed[channel.pk] = True
                if take_probe(channel, self._moment):
                    return None
            return self._behind(row, channel)
        if breaker.is_open(self._moment):
            return self._behind(row, channel)
        return None

    def _behind(self, row: Delivery, channel: Channel) -> datetime:
        """When a delivery behind an open breaker looks again: one of a batch in time for the next probe. The others
        are made due when the breaker closes (see `released`); looking every 30 seconds, the thousands that a dead
        receiver leaves behind would keep everybody busy."""
        opens = channel.breaker_open_until
        assert opens is not None
        if channel.pk not in self._next_probes:
            self._next_probes.add(channel.pk)
            return opens
        age = self._moment - (row.restarted_at or row.created_at)
        return max(opens, self._moment + pause_by_age(age))

    def _reserve_slots(self, rows: list[Delivery]) -> dict[Any, datetime]:
        """A moment for each delivery to a paced target that has none yet."""
        by_target: defaultdict[tuple[str, timedelta], list[Delivery]] = defaultdict(list)
        for row in rows:
            if row.channel_id in self._unreadable:
                continue
            channel, pace = self.channels.get(row.channel_id), registry.get(row.kind).pace
            # A slot that passed while something else held the delivery back is void: many such would make a burst.
            has_slot = row.slot_at is not None and row.slot_at > self._moment - SLOT_IS_GOOD_FOR
            if pace is not None and not has_slot and _stopped(channel, self._moment) is None:
                assert channel is not None
                by_target[channel.target_fingerprint or str(channel.pk), pace].append(row)
        reserved: dict[Any, datetime] = {}
        for (fingerprint, pace), waiting in sorted(by_target.items(), key=lambda item: item[0]):
            moments = reserve(fingerprint, len(waiting), pace, self._moment)
            reserved |= {row.pk: moment for row, moment in zip(waiting, moments, strict=True)}
        return reserved


def wait(row: Delivery, until: datetime, slot: datetime | None = None, *, behind_breaker: bool = False) -> Settled:
    """Give a claimed delivery back, untried and uncounted, to be due at `until`."""
    return Settled(
        row.pk,
        DeliveryStatus.RETRYING if row.attempt_count > 1 else DeliveryStatus.PENDING,
        row.step,
        until,
        reason=row.status_reason,
        uncount=True,
        slot_at=slot,
        behind_breaker=behind_breaker,
    )


def _stopped(channel: Channel | None, moment: datetime) -> str | None:
    """Why nothing is sent to a channel any more: the reason of the cancellation."""
    if channel is None:
        return CHANNEL_DELETED
    if not channel.enabled:
        return Reason.CHANNEL_OFF.value
    if is_paused(channel, moment):
        return Reason.PAUSED.value
    return Reason.SUSPENDED.value if channel.suspended_at is not None else None


def _states(rows: Iterable[Delivery]) -> dict[tuple[Any, str], RecipientState]:
    """The states of the rows' addresses, by project and address, with two queries for each workspace."""
    addresses: defaultdict[int, defaultdict[UUID, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if row.recipient:
            addresses[row.workspace_id][row.project_id].add(row.recipient)
    return {
        (project_id, email): state
        for workspace_id, by_project in addresses.items()
        for project_id, states in recipient_states_by_project(workspace_id, by_project).items()
        for email, state in states.items()
    }


def _channels(rows: Iterable[Delivery], moment: datetime) -> tuple[dict[Any, Channel], set[Any]]:
    """The rows' channels, each with the secret that signs at `moment`, and the ids of those that no key opens."""
    ids = {row.channel_id for row in rows if row.channel_id}
    try:
        found: dict[Any, Channel] = Channel.objects.in_bulk(ids)
        unreadable: set[Any] = set()
    except DecryptionError:
        found, unreadable = _one_by_one(ids)
    due = [
        channel
        for channel in found.values()
        if channel.secret_activates_at is not None and channel.secret_activates_at <= moment
    ]
    for channel in due:
        try:
            found[channel.pk] = activate_due_secret(channel)
        except Channel.DoesNotExist:
            del found[channel.pk]
    return found, unreadable


def _one_by_one(ids: Iterable[Any]) -> tuple[dict[Any, Channel], set[Any]]:
    """A key that was dropped too early must stop the channels it encrypted, not everybody's."""
    found: dict[Any, Channel] = {}
    unreadable: set[Any] = set()
    for pk in ids:
        try:
            found |= Channel.objects.in_bulk([pk])
        except DecryptionError:
            unreadable.add(pk)
            logger.error("Channel %s: no key in AEGIS_ENCRYPTION_KEYS opens its configuration. It waits.", pk)
    return found, unreadable


def _job(row: Delivery, channel: Channel, kind: ChannelKind, materials: "_Materials") -> Job:
    return Job(
        delivery_id=str(row.pk),
        kind=kind,
        event=row.event,
        config=channel.config,
        occurrence_id=str(row.occurrence_id),
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
                preferences_url=_preferences_url(project) if is_member else "",
            ),
        )


def event_url(occurrence_id: Any) -> str:
    """The page that says who was told of an occurrence, and why."""
    return f"{settings.AEGIS_BASE_URL}{reverse('event_why', args=[occurrence_id])}"


def _preferences_url(project: Project) -> str:
    return f"{settings.AEGIS_BASE_URL}{reverse('settings_email')}?{urlencode({'ws': project.workspace.slug})}"


def _reason(row: Delivery, occurrence: Occurrence, project: Project) -> str:
    decision = next((item for item in occurrence.decisions if item["channel_id"] == str(row.channel_id)), None)
    reason = Reason(decision["reason"]) if decision else None
    return why_told(row.event, project.name, registry.get(row.kind).label.lower(), reason)
