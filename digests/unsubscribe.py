"""What a link in a mail can stop, without signing in. One address serves all kinds of mail: the token names which."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from digests import links, selectors
from digests.services import preferences
from notifications.addresses import links as address_links
from notifications.addresses import services
from notifications.models import OptOut
from projects.access import Right, Role, can, refusal
from projects.actors import Actor
from projects.emails import masked
from projects.models import Membership, Project, User


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link stops, in words. `what` (a plural) and `what_not` stand inside sentences; `whom` is a masked address.

    `where` is a workspace's name, empty where it holds for all. `has_account`: who got the mail can sign in for more.
    `refusal` says who may do this, where the holder no longer may.
    """

    what: str
    whom: str
    where: str
    what_not: str
    stopped: bool
    has_account: bool = True
    refusal: str = ""


class Scope(abc.ABC):
    """One kind of mail. The claims are those of a token that was signed for `name`."""

    name: ClassVar[str]

    @abc.abstractmethod
    def offer(self, claims: Mapping[str, Any]) -> Offer | None:
        """What the link stops; None when that is gone, and with it the mail. Changes nothing."""

    @abc.abstractmethod
    def stop(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        """Idempotent."""

    @abc.abstractmethod
    def resume(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        """Undo `stop`. Idempotent."""

    @abc.abstractmethod
    def who(self, claims: Mapping[str, Any]) -> str:
        """Whose mail it is, for the audit log."""


_scopes: dict[str, Scope] = {}


def register(scope: type[Scope]) -> type[Scope]:
    _scopes[scope.name] = scope()
    return scope


def find(name: str) -> Scope | None:
    return _scopes.get(name)


@register
class EventMail(Scope):
    """A project's event mail to one address."""

    name = address_links.EVENT_MAIL

    def offer(self, claims: Mapping[str, Any]) -> Offer | None:
        project = Project.objects.select_related("workspace").filter(pk=claims["project"]).first()
        if project is None:
            return None
        return Offer(
            what=f"emails about {project.name}",
            whom=masked(claims["email"]),
            where=project.workspace.name,
            what_not="Emails about other projects and mail about your account",
            stopped=OptOut.objects.filter(project=project, email=claims["email"]).exists(),
            has_account=False,
        )

    def stop(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        services.opt_out(actor, claims["project"], claims["email"])

    def resume(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        services.opt_in(actor, claims["project"], claims["email"])

    def who(self, claims: Mapping[str, Any]) -> str:
        return str(claims["email"])


class _OwnMail(Scope):
    """Mail to a person because of a workspace. Whoever left the workspace gets none any more."""

    def offer(self, claims: Mapping[str, Any]) -> Offer | None:
        membership = self._membership(claims)
        return self._offer(membership) if membership else None

    @abc.abstractmethod
    def _offer(self, membership: Membership) -> Offer:
        """What it stops for this member."""

    def stop(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        self._change(actor, claims, on=False)

    def resume(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        self._change(actor, claims, on=True)

    def _change(self, actor: Actor, claims: Mapping[str, Any], *, on: bool) -> None:
        membership = self._membership(claims)
        if membership is not None:
            self._set(actor, membership, on)

    @abc.abstractmethod
    def _set(self, actor: Actor, membership: Membership, on: bool) -> None:
        """Whether the mail goes out. Idempotent."""

    def who(self, claims: Mapping[str, Any]) -> str:
        return User.objects.filter(pk=claims["user"]).values_list("email", flat=True).first() or "somebody"

    def _membership(self, claims: Mapping[str, Any]) -> Membership | None:
        found = Membership.objects.select_related("user", "workspace")
        return found.filter(user=claims["user"], workspace=claims["workspace"]).first()


@register
class WeeklyDigest(_OwnMail):
    """A person's weekly digest of a workspace."""

    name = links.WEEKLY

    def _offer(self, membership: Membership) -> Offer:
        return Offer(
            what="weekly digests",
            whom=masked(membership.user.email),
            where=membership.workspace.name,
            what_not="Event emails, reminders and usage warnings",
            stopped=not selectors.preferences_of(membership.user, membership.workspace).weekly,
        )

    def _set(self, actor: Actor, membership: Membership, on: bool) -> None:
        preferences.set_weekly(actor, membership.user, membership.workspace, enabled=on)


@register
class UsageWarnings(_OwnMail):
    """Usage warnings of a workspace to one of its owner and admins."""

    name = links.USAGE

    def _offer(self, membership: Membership) -> Offer:
        owns = membership.role == Role.OWNER
        return Offer(
            what="usage warnings",
            whom=masked(membership.user.email),
            where=membership.workspace.name,
            what_not=(
                "The warning at 100 %, which always goes to the owner, and all other emails"
                if owns
                else "Event emails, digests and reminders"
            ),
            stopped=not selectors.preferences_of(membership.user, membership.workspace).usage_warnings,
        )

    def _set(self, actor: Actor, membership: Membership, on: bool) -> None:
        preferences.set_usage_warnings(actor, membership.user, membership.workspace, on)


@register
class WorkspaceMail(_OwnMail):
    """Nudges and weekly digests of a workspace to everybody, stopped by one of its owner and admins."""

    name = links.WORKSPACE

    def _offer(self, membership: Membership) -> Offer:
        return Offer(
            what="reminders and weekly digests",
            whom="all members",
            where=membership.workspace.name,
            what_not="Event emails and usage warnings",
            stopped=selectors.preferences_of(membership.user, membership.workspace).workspace_unsubscribed,
            refusal="" if can(membership.role, Right.MANAGE) else refusal(Right.MANAGE),
        )

    def _set(self, actor: Actor, membership: Membership, on: bool) -> None:
        if can(membership.role, Right.MANAGE):
            preferences.set_workspace_unsubscribed(actor, membership.workspace, not on)


@register
class Nudges(Scope):
    """All reminders to a person, because of whichever workspace."""

    name = links.NUDGES

    def offer(self, claims: Mapping[str, Any]) -> Offer | None:
        user = self._user(claims)
        if user is None:
            return None
        return Offer(
            what="reminders",
            whom=masked(user.email),
            where="",
            what_not="Event emails, digests and usage warnings",
            stopped=not selectors.wants_nudges(user),
        )

    def stop(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        self._set(actor, claims, on=False)

    def resume(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        self._set(actor, claims, on=True)

    def who(self, claims: Mapping[str, Any]) -> str:
        user = self._user(claims)
        return user.email if user else "somebody"

    def _set(self, actor: Actor, claims: Mapping[str, Any], *, on: bool) -> None:
        user = self._user(claims)
        if user is not None:
            preferences.set_nudges(actor, user, on)

    def _user(self, claims: Mapping[str, Any]) -> User | None:
        return User.objects.filter(pk=claims["user"]).first()
