"""Who may get mail from us about a workspace, decided for many people with three queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from digests.models import SkipReason, WorkspaceOptOut
from notifications.addresses.selectors import bounced_addresses
from projects.models import Membership, User


@dataclass(frozen=True, slots=True)
class Willing:
    """What is known of some people and workspaces."""

    members: Mapping[tuple[int, int], str]
    """The roles, by the ids of person and workspace."""
    bounced: Collection[str]
    unsubscribed: Collection[int]

    def refusal(self, user: User, workspace_id: int, recipient: str) -> SkipReason | None:
        """Why somebody gets no weekly digest of a workspace at an address."""
        return personal_refusal(user, self.bounced, recipient) or (
            SkipReason.NOT_A_MEMBER
            if (user.pk, workspace_id) not in self.members
            else SkipReason.WORKSPACE_UNSUBSCRIBED
            if workspace_id in self.unsubscribed
            else None
        )


def personal_refusal(user: User, bounced: Collection[str], recipient: str) -> SkipReason | None:
    """Why somebody gets no mail at an address at all. One that is not theirs any more is nobody's we know."""
    if not user.is_active:
        return SkipReason.INACTIVE
    if user.email_verified_at is None or user.email != recipient:
        return SkipReason.UNVERIFIED
    return SkipReason.BOUNCED if recipient in bounced else None


def willing(people: Iterable[User], workspaces: Iterable[int]) -> Willing:
    people, workspaces = list(people), set(workspaces)
    members = Membership.objects.filter(user__in=people, workspace__in=workspaces)
    return Willing(
        members={
            (user_id, workspace_id): role
            for user_id, workspace_id, role in members.values_list("user_id", "workspace_id", "role")
        },
        bounced=bounced_addresses(user.email for user in people),
        unsubscribed=set(
            WorkspaceOptOut.objects.filter(workspace__in=workspaces).values_list("workspace_id", flat=True)
        ),
    )
