"""Changing what people and workspaces chose. Each change is audited; setting what is set already changes nothing."""

from datetime import datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from aegisnotify.clock import now
from digests import schedule
from digests.models import NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from projects.actors import Actor
from projects.errors import Invalid
from projects.models import User, Workspace
from projects.models.users import validate_time_zone
from projects.services import audit

WEEK = timedelta(days=7)
_FIELDS = ("enabled", "weekday", "at", "time_zone")


@transaction.atomic
def set_weekly(
    actor: Actor,
    user: User,
    workspace: Workspace,
    *,
    enabled: bool | None = None,
    weekday: int | None = None,
    at: time | None = None,
    time_zone: str | None = None,
) -> WeeklySubscription:
    """Change what is given of a person's weekly digest of a workspace. `weekday`: 0 is Monday. `at`: local time.

    Raises `Invalid` with the bad fields. At most one digest goes out in a calendar week: after a change of the weekday
    the next one may be the week after, and then it covers both.
    """
    given = {"enabled": enabled, "weekday": weekday, "at": at, "time_zone": time_zone}
    wanted = {name: value for name, value in given.items() if value is not None}
    _check(wanted)
    WeeklySubscription.objects.bulk_create(
        [WeeklySubscription(user=user, workspace=workspace, time_zone=user.time_zone)], ignore_conflicts=True
    )
    # The row is locked: what sends the digest moves its clock in the same way.
    row = WeeklySubscription.objects.select_for_update().get(user=user, workspace=workspace)
    changes = audit.differences(row, wanted, _FIELDS)
    if not changes:
        return row
    was_enabled = row.enabled
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    _wind(row, now(), begins=row.enabled and not was_enabled)
    row.save()
    audit.record(
        actor,
        "preferences.weekly_changed",
        row,
        workspace=workspace,
        label=user.email,
        changes={f"weekly_{name}": change for name, change in changes.items()},
    )
    return row


@transaction.atomic
def set_usage_warnings(actor: Actor, user: User, workspace: Workspace, on: bool) -> bool:
    """Whether that was new. The one at 100 % always goes to the owner: it is about the service itself."""
    if on:
        changed = bool(UsageOptOut.objects.filter(user=user, workspace=workspace).delete()[0])
    else:
        _, changed = UsageOptOut.objects.get_or_create(user=user, workspace=workspace, defaults={"created_at": now()})
    if changed:
        _audit(actor, "preferences.usage_warnings_changed", user, workspace, {"usage_warnings": (not on, on)})
    return changed


@transaction.atomic
def set_nudges(actor: Actor, user: User, on: bool, *, workspace: Workspace | None = None) -> bool:
    """Nudges to a person, for all their workspaces. Whether that was new. `workspace`: in whose audit log it stands."""
    if on:
        changed = bool(NudgeOptOut.objects.filter(user=user).delete()[0])
    else:
        _, changed = NudgeOptOut.objects.get_or_create(user=user, defaults={"created_at": now()})
    if changed:
        _audit(actor, "preferences.nudges_changed", user, workspace, {"nudges": (not on, on)})
    return changed


@transaction.atomic
def set_workspace_unsubscribed(actor: Actor, workspace: Workspace, on: bool) -> bool:
    """No nudges because of the workspace, and nothing of it in weekly digests. Whether that was new.

    What each person chose is kept, and holds again once it is lifted.
    """
    if on:
        _, changed = WorkspaceOptOut.objects.get_or_create(
            workspace=workspace, defaults={"created_at": now(), "created_by": actor.user}
        )
    else:
        changed = bool(WorkspaceOptOut.objects.filter(workspace=workspace).delete()[0])
    if changed:
        audit.record(
            actor,
            "preferences.workspace_unsubscribed" if on else "preferences.workspace_resubscribed",
            workspace,
            workspace=workspace,
            changes={"unsubscribed": (not on, on)},
        )
    return changed


def _check(wanted: dict[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    if not isinstance(wanted.get("enabled", True), bool):
        errors["enabled"] = ["Must be true or false."]
    weekday = wanted.get("weekday", 0)
    if not isinstance(weekday, int) or isinstance(weekday, bool) or not 0 <= weekday <= 6:
        errors["weekday"] = ["Choose a day from Monday (0) to Sunday (6)."]
    at = wanted.get("at", time())
    if not isinstance(at, time) or at.tzinfo is not None or at.second or at.microsecond:
        errors["at"] = ["Choose a time such as 08:00."]
    try:
        validate_time_zone(wanted.get("time_zone", "UTC"))
    except ValidationError as error:
        errors["time_zone"] = error.messages
    if errors:
        raise Invalid(errors)


def _wind(row: WeeklySubscription, moment: datetime, *, begins: bool) -> None:
    """Set the clock of a subscription that was changed."""
    if not row.enabled:
        row.next_at = None
        return
    row.next_at = schedule.next_weekly(moment, row.weekday, row.at, row.zone, row.last_slot).moment
    if begins:
        # The first one tells of the week before it, and of nothing that an earlier one told already.
        start = row.next_at - WEEK
        row.covered_until = max(row.covered_until, start) if row.covered_until else start


def _audit(actor: Actor, action: str, user: User, workspace: Workspace | None, changes: audit.Changes) -> None:
    audit.record(actor, action, user, workspace=workspace, label=user.email, changes=changes)
