"""What a link in a mail can stop, without signing in. One address serves all kinds of mail: the token names which."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from notifications.addresses import links, services
from notifications.models import OptOut
from projects.actors import Actor
from projects.emails import masked
from projects.models import Project


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link stops, in words. `what` and `what_not` stand inside sentences; `whom` is a masked address."""

    what: str
    whom: str
    where: str
    what_not: str
    stopped: bool


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

    name = links.EVENT_MAIL

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
        )

    def stop(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        services.opt_out(actor, claims["project"], claims["email"])

    def resume(self, actor: Actor, claims: Mapping[str, Any]) -> None:
        services.opt_in(actor, claims["project"], claims["email"])

    def who(self, claims: Mapping[str, Any]) -> str:
        return str(claims["email"])
