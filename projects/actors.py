"""Who does something, from where: every service that changes something takes an `Actor` and audits it."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projects.models import User


class Source(enum.StrEnum):
    PAGE = "page"
    API = "api"
    ADMIN = "admin"
    LINK = "link"
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`user` is None for tokens, signed links and the system; `label` says who it was in words."""

    label: str
    source: Source
    user: "User | None" = None
    address: str | None = None


SYSTEM = Actor("AegisNotify", Source.SYSTEM)


def person(user: "User", source: Source, address: str | None = None) -> Actor:
    return Actor(user.email, source, user, address)
