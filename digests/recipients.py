"""Who may get mail from us about a workspace, decided for many people with three queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from digests.models import SkipReason, WorkspaceOptOut
from notifications.addresses.selectors import bounced_addresses
from projects.models import Membership, User


@dataclass(frozen=True, slots=True)
class Willing:
    """What is known of some people and workspaces."""

    members: Collection[tuple[int, int]]
    bounced: Collection[str]
    unsubscribed: Collection[int]

    def refusal(self, user: User, workspace_id: int) -> SkipReason | None:
        """Why somebody gets no weekly digest of a workspace."""
        return self.personal_refusal(user) or (
            SkipReason.NOT_A_MEMBER
            if (user.pk, workspace_id) not in self.members
            else SkipReason.WORKSPACE_UNSUBSCRIBED
            if workspace_id in self.unsubscribed
            else None
        )

    def personal_refusal(self, user: User) -> SkipReason | None:
        """Why somebody gets no mail at all."""
        if not user.is_active:
            return SkipReason.INACTIVE
        if user.email_verified_at is None:
            return SkipReason.UNVERIFIED
        return SkipReason.BOUNCED if user.email in self.bounced else None


def willing(people: Iterable[User], workspaces: Iterable[int]) -> Willing:
    people, workspaces = list(people), set(workspaces)
    members = Membership.objects.filter(user__in=people, workspace__in=workspaces)
    return Willing(
        members=set(members.values_list("user_id", "workspace_id")),
        bounced=bounced_addresses(user.email for user in people),
        unsubscribed=set(
            WorkspaceOptOut.objects.filter(workspace__in=workspaces).values_list("workspace_id", flat=True)
        ),
    )
