"""Reading what people chose."""

from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import Q

from digests.models import Mailing, MailingState, NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from notifications.models import Channel
from projects.access import Role
from projects.models import Membership, User, Workspace

MOST_CHANNELS = 20


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
        nudges=wants_nudges(user),
        usage_warnings=not UsageOptOut.objects.filter(user=user, workspace=workspace).exists(),
        workspace_unsubscribed=WorkspaceOptOut.objects.filter(workspace=workspace).exists(),
    )


def wants_nudges(user: User) -> bool:
    return not NudgeOptOut.objects.filter(user=user).exists()


def channels_reaching(user: User, workspace: Workspace) -> list[Channel]:
    """The workspace's enabled email channels that write to a person, by project; up to one more than `MOST_CHANNELS`.

    A channel without recipients writes to the owner.
    """
    reaches = Q(recipients__email=user.email)
    if Membership.objects.filter(workspace=workspace, user=user, role=Role.OWNER).exists():
        reaches |= Q(recipients=None)
    channels = Channel.objects.filter(reaches, project__workspace=workspace, kind="email", enabled=True)
    ordered = channels.select_related("project").defer("config").order_by("project__name", "position", "pk")
    return list(ordered[: MOST_CHANNELS + 1])


def recently_sent(user: User, workspace: Workspace) -> list[Mailing]:
    """The last digests, reminders and warnings that went to a person: the workspace's, and those of no workspace."""
    sent = Mailing.objects.filter(recipient=user.email, state=MailingState.SENT)
    own = sent.filter(Q(workspace=workspace) | Q(workspace=None))
    return list(own.order_by("-finished_at").only("kind", "subject", "finished_at")[:5])
