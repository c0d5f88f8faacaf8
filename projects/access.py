"""Who may do what: roles and rights, without a database."""

import enum


class Role(enum.StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class Right(enum.StrEnum):
    """What a role allows; the value ends the sentence "Only … can …"."""

    VIEW = "see this"
    OPERATE = "send tests, redeliver, recover, pause and resume"
    CONFIGURE = "change settings, channels, projects and tokens"
    MANAGE = "manage members, the workspace's mail and the audit log"
    OWN = "hand over or delete the workspace"


_HOLDERS: dict[Right, tuple[Role, ...]] = {
    Right.VIEW: (Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER),
    Right.OPERATE: (Role.OWNER, Role.ADMIN, Role.MEMBER),
    Right.CONFIGURE: (Role.OWNER, Role.ADMIN),
    Right.MANAGE: (Role.OWNER, Role.ADMIN),
    Right.OWN: (Role.OWNER,),
}


def can(role: Role | str, right: Right) -> bool:
    return Role(role) in _HOLDERS[right]


def refusal(right: Right) -> str:
    """The sentence for a 403: names who can do it."""
    holders = [f"{role.value}s" if role is not Role.OWNER else "the owner" for role in _HOLDERS[right]]
    who = holders[0] if len(holders) == 1 else f"{', '.join(holders[:-1])} and {holders[-1]}"
    return f"Only {who} of this workspace can {right.value}."
