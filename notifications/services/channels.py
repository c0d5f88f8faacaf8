"""Creating, changing and deleting channels, and rotating a webhook's secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.validators import validate_slug
from django.db import transaction
from django.db.models import Max

from aegisnotify.clock import now
from aegisnotify.encryption import fingerprint
from notifications.addresses.services import request_confirmations
from notifications.channels import registry
from notifications.channels.base import ChannelKind, Checked
from notifications.channels.webhook import rotation
from notifications.channels.webhook import secret as secrets
from notifications.models import Channel, ChannelRecipient
from notifications.selectors.channels import places
from notifications.selectors.versions import version_of
from notifications.services.deliveries import release
from notifications.timing import timing_changed
from projects.actors import SYSTEM, Actor
from projects.entitlements import room_for
from projects.errors import Conflict, Invalid, PlanLimit, Stale
from projects.models import Project
from projects.selectors import limits_of
from projects.services import audit
from projects.slugs import free_slug

# What every kind has; the rest of what somebody may submit are the kind's own settings.
COMMON = ("name", "key", "enabled", "position")
SETTINGS = ("url", "secret", "recipients", "mode", "digest_time")
LARGEST_POSITION = 10_000


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored channel. `new_secret` was generated just now and is shown this once; `warnings` are for people."""

    channel: Channel
    new_secret: str | None = None
    warnings: tuple[str, ...] = ()


def create_channel(actor: Actor, project: Project, *, kind: str, **submitted: Any) -> Saved:
    """A new channel, at the end of the list unless a position is given.

    Raises `Invalid` with the bad fields, `Conflict` for a taken key, `PlanLimit` when it is enabled and the plan has
    no room.
    """
    found = registry.find(kind) if isinstance(kind, str) else None
    if found is None:
        known = ", ".join(each.name for each in registry.kinds())
        raise Invalid({"kind": [f"Unknown kind of channel. Known: {known}."]})
    submitted.setdefault("name", found.label)
    submitted.setdefault("enabled", True)
    common = _check_common(submitted)
    checked = found.check(_own_settings(found, submitted), None)

    with transaction.atomic():
        project = _lock(project)
        channel = Channel(
            project=project,
            kind=kind,
            key=_free_key(project, common.get("key"), kind),
            name=common["name"],
            enabled=common["enabled"],
            position=common.get("position", _next_position(project)),
            created_by=actor.user,
        )
        if channel.enabled:
            _require_room(project, channel)
        _apply(channel, found, checked)
        channel.save()
        _store_recipients(actor, channel, checked, found)
        audit.record(
            actor,
            "channel.created",
            channel,
            workspace=project.workspace,
            project=project,
            changes={name: (None, value) for name, value in _shown(channel, found, checked.recipients).items()},
        )
        if channel.mode != Channel.Mode.IMMEDIATE:
            timing_changed(actor, channel)
    return Saved(channel, checked.new_secret, checked.warnings)


def update_channel(actor: Actor, channel: Channel, *, if_match: str | None = None, **submitted: Any) -> Saved:
    """Change what is submitted, keep the rest.

    Raises like `create_channel`, and `Stale` when `if_match` is given and is not the channel's version any more.

    A new URL starts with a clean record: what suspended the channel was the old one.
    """
    kind = registry.get(channel.kind)
    common = _check_common(submitted)
    own = _own_settings(kind, submitted)
    seen = _current(channel)
    checked = kind.check(own, seen) if own else None

    with transaction.atomic():
        project = _lock(channel.project)
        channel = Channel.objects.select_for_update().get(pk=channel.pk)
        if if_match is not None and if_match != version_of(channel):
            raise Stale("Somebody changed this channel meanwhile.")
        if own and _current(channel) != seen:
            # Somebody else changed it during the check, which is made without a lock because it may look a name up.
            # What came out of it holds the old settings, and storing them would undo the other's change.
            checked = kind.check(own, _current(channel))
        before = _shown(channel, kind, _addresses(channel))
        if "key" in common and common["key"] != channel.key:
            channel.key = _free_key(project, common["key"], kind.name)
        for name in ("name", "enabled", "position"):
            if name in common:
                setattr(channel, name, common[name])
        if channel.enabled and not before["enabled"]:
            _require_room(project, channel)
        moved = checked is not None and checked.config.get("url") != channel.config.get("url")
        if checked is not None:
            _apply(channel, kind, checked)
        if moved:
            release(channel)
            _clean_record(channel)
        channel.save()
        if checked is not None:
            _store_recipients(actor, channel, checked, kind)
        after = _shown(channel, kind, _addresses(channel))
        # Two URLs can look the same when masked; that one replaced the other must be in the log all the same.
        changes = {
            name: (before[name], after[name])
            for name in after
            if before[name] != after[name] or (moved and name == "target")
        }
        if changes:
            audit.record(
                actor, "channel.updated", channel, workspace=project.workspace, project=project, changes=changes
            )
        if changes.keys() & {"mode", "digest_time"}:
            timing_changed(actor, channel)
    return Saved(channel, None, checked.warnings if checked else ())


@transaction.atomic
def delete_channel(actor: Actor, channel: Channel) -> None:
    """Delete it. Its unfinished deliveries are cancelled at their next claim; its history stays.

    Raises `Channel.DoesNotExist` when somebody else did it meanwhile.
    """
    project = _lock(channel.project)
    channel = project.channels.get(pk=channel.pk)
    # The history first, which may be long. What is stored for the channel meanwhile is found under its lock; what comes
    # later waits for the end of this, and is refused by the database.
    channel.deliveries.update(channel=None)
    Channel.objects.select_for_update().get(pk=channel.pk)
    audit.record(
        actor,
        "channel.deleted",
        channel,
        workspace=project.workspace,
        project=project,
        changes={"kind": (channel.kind, None), "key": (channel.key, None), "name": (channel.name, None)},
    )
    channel.delete()


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged secret. `secret` is set when it was generated here, and is shown this once."""

    activates_at: datetime
    secret: str | None


@transaction.atomic
def rotate_secret(
    actor: Actor, channel: Channel, *, secret: Any = None, grace_hours: Any = rotation.DEFAULT_GRACE_HOURS
) -> Staged:
    """Stage another secret: both sign until it is activated, by hand or after `grace_hours` (0 to 168).

    Raises `Conflict` while one is staged or where there is no secret to rotate, `Invalid` for a bad secret or period.
    """
    channel = _lock_webhook(channel)
    errors: dict[str, list[str]] = {}
    longest = rotation.LONGEST_GRACE_HOURS
    if not isinstance(grace_hours, int | float) or isinstance(grace_hours, bool) or not 0 <= grace_hours <= longest:
        errors["grace_hours"] = [f"Must be a number of hours from 0 to {longest}."]
    if secret is not None and (problem := secrets.problem(secret)):
        errors["secret"] = [problem]
    if errors:
        raise Invalid(errors)
    if channel.secret_activates_at is not None:
        raise Conflict("Another secret is staged already. Activate it first, or wait for the end of its grace period.")
    config, generated = rotation.stage(channel.config, secret)
    channel.config = config
    channel.secret_activates_at = now() + timedelta(hours=grace_hours)
    channel.save(update_fields=["config", "secret_activates_at"])
    _audit_secret(actor, channel, "channel.secret_staged", {"next_secret": (None, audit.MASK)})
    return Staged(channel.secret_activates_at, generated)


@transaction.atomic
def activate_secret(actor: Actor, channel: Channel) -> None:
    """From now on only the staged secret signs. Raises `Conflict` when none is staged."""
    channel = _lock_webhook(channel)
    if channel.secret_activates_at is None:
        raise Conflict("No secret is staged. Rotate the secret first.")
    _activate(actor, channel)


@transaction.atomic
def activate_due_secret(channel: Channel) -> Channel:
    """Activate a staged secret whose grace period is over. The channel as it is now."""
    channel = Channel.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=channel.pk)
    if channel.secret_activates_at is not None and channel.secret_activates_at <= now():
        _activate(SYSTEM, channel)
    return channel


def _lock_webhook(channel: Channel) -> Channel:
    channel = activate_due_secret(channel)
    if "secret" not in registry.get(channel.kind).settings:
        raise Conflict("Only webhooks have a secret.")
    return channel


def _activate(actor: Actor, channel: Channel) -> None:
    channel.config = rotation.activate(channel.config)
    channel.secret_activates_at = None
    channel.save(update_fields=["config", "secret_activates_at"])
    _audit_secret(actor, channel, "channel.secret_activated", {"secret": (audit.MASK, audit.MASK)})


def _audit_secret(actor: Actor, channel: Channel, action: str, changes: audit.Changes) -> None:
    project = channel.project
    audit.record(actor, action, channel, workspace=project.workspace, project=project, changes=changes)


def _check_common(submitted: Mapping[str, Any]) -> dict[str, Any]:
    """The settings all kinds have, checked. Raises `Invalid` for bad and for unknown ones."""
    errors: dict[str, list[str]] = {}
    for name in submitted:
        if name not in COMMON and name not in SETTINGS:
            errors[name] = ["Unknown field."]
    common = {name: submitted[name] for name in COMMON if name in submitted}
    if "name" in common:
        name = common["name"]
        if not isinstance(name, str) or not name.strip() or len(name) > 80:
            errors["name"] = ["Must be text of 1 to 80 characters."]
        else:
            common["name"] = name.strip()
    if "key" in common:
        key = common["key"]
        if not isinstance(key, str) or not _is_slug(key):
            errors["key"] = ["Must be 1 to 60 letters, digits, hyphens or underscores."]
    if "enabled" in common and not isinstance(common["enabled"], bool):
        errors["enabled"] = ["Must be true or false."]
    if "position" in common:
        position = common["position"]
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= LARGEST_POSITION:
            errors["position"] = [f"Must be a whole number from 0 to {LARGEST_POSITION}."]
    if errors:
        raise Invalid(errors)
    return common


def _is_slug(text: str) -> bool:
    try:
        validate_slug(text)
    except Exception:
        return False
    return len(text) <= 60


def _own_settings(kind: ChannelKind, submitted: Mapping[str, Any]) -> dict[str, Any]:
    foreign = [name for name in SETTINGS if name in submitted and name not in kind.settings]
    if foreign:
        raise Invalid({name: [f"A channel of kind {kind.name} has no {name}."] for name in foreign})
    return {name: submitted[name] for name in kind.settings if name in submitted}


def _current(channel: Channel) -> dict[str, Any]:
    return {
        **channel.config,
        "recipients": _addresses(channel),
        "mode": channel.mode,
        "digest_time": channel.digest_time,
    }


def _addresses(channel: Channel) -> tuple[str, ...]:
    return tuple(channel.recipients.order_by("position", "pk").values_list("email", flat=True))


def _apply(channel: Channel, kind: ChannelKind, checked: Checked) -> None:
    channel.config = dict(checked.config)
    channel.mode = checked.mode
    channel.digest_time = checked.digest_time
    channel.target_host = kind.host(checked.config) if checked.url else ""
    channel.target_fingerprint = fingerprint(checked.url) if checked.url else ""


def _store_recipients(actor: Actor, channel: Channel, checked: Checked, kind: ChannelKind) -> None:
    if "recipients" not in kind.settings or checked.recipients == _addresses(channel):
        return
    channel.recipients.all().delete()
    ChannelRecipient.objects.bulk_create(
        ChannelRecipient(channel=channel, email=email, position=position)
        for position, email in enumerate(checked.recipients)
    )
    request_confirmations(actor, channel.project.workspace, checked.recipients)


def _clean_record(channel: Channel) -> None:
    channel.suspended_at, channel.suspended_reason = None, ""
    channel.failures_in_a_row, channel.last_error, channel.last_error_at = 0, "", None
    channel.first_failure_at = channel.failing_since = channel.not_before = channel.breaker_open_until = None
    channel.warned_stage = ""
    channel.breaker_window_at, channel.breaker_tries, channel.breaker_failures = None, 0, 0


def _shown(channel: Channel, kind: ChannelKind, recipients: tuple[str, ...]) -> dict[str, Any]:
    """The settings as the audit log shows them: the target masked, no secrets."""
    shown: dict[str, Any] = {
        "kind": channel.kind,
        "key": channel.key,
        "name": channel.name,
        "enabled": channel.enabled,
        "position": channel.position,
    }
    if "url" in kind.settings:
        shown["target"] = kind.target(channel.config)
    if "recipients" in kind.settings:
        shown |= {
            "recipients": list(recipients),
            "mode": channel.mode,
            "digest_time": channel.digest_time.isoformat("minutes") if channel.digest_time else None,
        }
    return shown


def _lock(project: Project) -> Project:
    """The project's row, locked: two requests that both see the last free place of a plan take turns."""
    return Project.objects.select_for_update(of=("self",)).select_related("workspace__plan").get(pk=project.pk)


def _require_room(project: Project, channel: Channel) -> None:
    others = Channel.objects.filter(project=project, enabled=True).exclude(pk=channel.pk)
    category = registry.get(channel.kind).category
    exceeded = room_for(limits_of(project.workspace.plan), places(others), channel.kind, category)
    if exceeded:
        raise PlanLimit(exceeded)


def _free_key(project: Project, wanted: str | None, kind: str) -> str:
    taken = set(project.channels.values_list("key", flat=True))
    if wanted is None:
        return free_slug(kind, taken.__contains__)
    if wanted in taken:
        raise Conflict(f"This project already has a channel “{wanted}”. Choose another key.", {"field": "key"})
    return wanted


def _next_position(project: Project) -> int:
    last = project.channels.aggregate(last=Max("position"))["last"]
    return 0 if last is None else min(last + 1, LARGEST_POSITION)
