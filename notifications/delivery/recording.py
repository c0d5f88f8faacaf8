"""Writing what tries say to their channels' rows, and suspending a channel."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from aegisnotify.clock import now
from notifications.channels import registry
from notifications.delivery import outbox
from notifications.delivery.breaker import Breaker
from notifications.delivery.health import Health, Heard, Stage, Target, after, stage
from notifications.delivery.policy import asked_pause
from notifications.models import Channel
from projects.actors import SYSTEM, Actor
from projects.entitlements import Category
from projects.services import audit

# A healthy channel's row is written this often at the most: its last success is for people to read.
SUCCESS_STEP = timedelta(seconds=2)


def health_of(channel: Channel) -> Health:
    return Health(
        failures_in_a_row=channel.failures_in_a_row,
        last_success_at=channel.last_success_at,
        last_error_at=channel.last_error_at,
        last_error=channel.last_error,
        first_failure_at=channel.first_failure_at,
        failing_since=channel.failing_since,
        not_before=channel.not_before,
        breaker=Breaker(
            channel.breaker_window_at, channel.breaker_tries, channel.breaker_failures, channel.breaker_open_until
        ),
    )


def _columns(health: Health) -> dict[str, Any]:
    return {
        "failures_in_a_row": health.failures_in_a_row,
        "last_success_at": health.last_success_at,
        "last_error_at": health.last_error_at,
        "last_error": health.last_error,
        "first_failure_at": health.first_failure_at,
        "failing_since": health.failing_since,
        "not_before": health.not_before,
        "breaker_window_at": health.breaker.window_at,
        "breaker_tries": health.breaker.tries,
        "breaker_failures": health.breaker.failures,
        "breaker_open_until": health.breaker.open_until,
    }


class HealthRecorder:
    """Collects the tries of one drain and writes them: at once when something went wrong, else every two seconds.

    Used by one thread.
    """

    def __init__(self) -> None:
        self._heard: defaultdict[Any, list[Heard]] = defaultdict(list)
        self._news = False
        self._written = now()

    def note(self, channel: Channel, heard: Heard) -> None:
        self._heard[channel.pk].append(heard)
        # Another process may have opened the breaker meanwhile; a spotless row can wait for the next round all the
        # same.
        if not heard.succeeded or heard.reading.retry_after or not health_of(channel).is_spotless:
            self._news = True

    def write_if_due(self) -> dict[Target, datetime]:
        """Like `write`, when it is time to."""
        if self._heard and (self._news or now() - self._written >= SUCCESS_STEP):
            return self.write()
        return {}

    def write(self) -> dict[Target, datetime]:
        """Returns what `write_health` does."""
        held = write_health(self._heard) if self._heard else {}
        self._heard.clear()
        self._news, self._written = False, now()
        return held


@transaction.atomic
def write_health(heard: Mapping[Any, Sequence[Heard]]) -> dict[Target, datetime]:
    """Add tries to their channels, by channel id. Rows are locked in the order of their ids, as by everybody.

    Returns who is to be left alone now, and until when.
    """
    held: dict[Target, datetime] = {}
    rows = Channel.objects.select_for_update().filter(pk__in=list(heard)).order_by("pk")
    for channel in rows:
        # What another URL answered says nothing of the one that somebody has put in its place meanwhile.
        tries = [each for each in heard[channel.pk] if each.target == channel.target_fingerprint]
        if not tries:
            continue
        before = health_of(channel)
        health = after(before, tries)
        changes = _columns(health)
        if health.first_failure_at is None:
            changes["warned_stage"] = Stage.FINE
        Channel.objects.filter(pk=channel.pk).update(**changes)
        if before.breaker.open_until is not None and health.breaker.open_until is None:
            # After the commit: whoever deletes a channel locks its deliveries before the channel.
            # What is more than one batch follows within seconds (see `released`).
            transaction.on_commit(partial(outbox.release, channel.pk, now()), robust=True)
        wishes = [until for until in (health.breaker.open_until, health.not_before) if until is not None]
        if wishes and max(wishes) > tries[-1].at:
            held[channel.pk, channel.target_fingerprint] = max(wishes)
        _hold_everybody(channel, tries)
        gone = next((each.reading for each in tries if each.reading.gone), None)
        is_webhook = registry.get(channel.kind).category is Category.WEBHOOK
        if gone is not None:
            suspend(channel, gone.sentence)
        elif stage(health, is_webhook=is_webhook, moment=tries[-1].at) is Stage.SUSPENDED:
            suspend(channel, f"It has only failed since {health.failing_since:%d %B %Y}. Last: {health.last_error}")
    return held


def _hold_everybody(channel: Channel, tries: Sequence[Heard]) -> None:
    """Hold all channels at a host that limits us, not one of its URLs."""
    wishes = [each.at + asked_pause(each.reading) for each in tries if each.reading.everybody]
    if wishes:
        at_host = Channel.objects.filter(kind=channel.kind, target_host=channel.target_host)
        at_host.filter(Q(not_before=None) | Q(not_before__lt=max(wishes))).update(not_before=max(wishes))


@transaction.atomic
def suspend(channel: Channel, reason: str, actor: Actor = SYSTEM) -> None:
    """Stop using a channel until a good test or somebody lifts it. Suspending again changes nothing."""
    row = Channel.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=channel.pk)
    if row.suspended_at is not None:
        return
    row.suspended_at, row.suspended_reason = now(), reason[:500]
    row.save(update_fields=["suspended_at", "suspended_reason"])
    audit.record(
        actor,
        "channel.suspended",
        row,
        workspace=row.project.workspace,
        project=row.project,
        changes={"suspended": (None, row.suspended_reason)},
    )


def take_probe(channel: Channel, moment: datetime) -> bool:
    """Whether this process may send the one probe of a channel whose breaker has held long enough."""
    probing = health_of(channel).breaker.probing(moment)
    # Of several processes that see the same moment pass, the update lets one through.
    won = Channel.objects.filter(pk=channel.pk, breaker_open_until=channel.breaker_open_until).update(
        breaker_open_until=probing.open_until
    )
    channel.breaker_open_until = probing.open_until
    return bool(won)
