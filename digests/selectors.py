"""Reading what people chose."""

from dataclasses import dataclass
from datetime import datetime, time

from digests.models import NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from projects.models import User, Workspace


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person chose, in one workspace. `nudges` holds for all their workspaces.

    `weekly_next_at` is None while the weekly digest is off. `workspace_unsubscribed` stops nudges and the weekly digest
    because of this workspace, whatever the others say.
    """

    weekly: bool
    weekly_weekday: int
    weekly_at: time
    weekly_zone: str
    weekly_next_at: datetime | None
    nudges: bool
    usage_warnings: bool
    workspace_unsubscribed: bool


def preferences_of(user: User, workspace: Workspace) -> Preferences:
    """Four queries. Without a weekly subscription its defaults are shown: Monday 08:00 in the person's zone."""
    weekly = WeeklySubscription.objects.filter(user=user, workspace=workspace).first()
    shown = weekly or WeeklySubscription(user=user, workspace=workspace, time_zone=user.time_zone)
    return Preferences(
        weekly=shown.enabled,
        weekly_weekday=shown.weekday,
        weekly_at=shown.at,
        weekly_zone=shown.time_zone,
        weekly_next_at=shown.next_at,
        nudges=not NudgeOptOut.objects.filter(user=user).exists(),
        usage_warnings=not UsageOptOut.objects.filter(user=user, workspace=workspace).exists(),
        workspace_unsubscribed=WorkspaceOptOut.objects.filter(workspace=workspace).exists(),
    )
