"""The sidebar: which pages there are, and which of them this person is shown.

An entry appears as soon as its name resolves to an address, so a page that is not built yet is no dead link.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from urllib.parse import urlencode

from django.db import models
from django.db.models.expressions import Combinable
from django.urls import NoReverseMatch, reverse

from projects.access import Right, Role, can
from projects.models import Workspace


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is the URL name; `pages` are the names of the pages below it, on which it is the current one too."""

    name: str
    label: str
    icon: str
    right: Right = Right.VIEW
    pages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """`badge`: what wants attention there, in words."""

    label: str
    icon: str
    url: str
    current: bool
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many things want attention on an entry's page: an expression over workspaces, and the word for them."""

    expression: Callable[[datetime], Combinable]
    word: str


_counts: dict[str, Count] = {}


def counts(name: str, word: str) -> Callable[[Callable[[datetime], Combinable]], Callable[[datetime], Combinable]]:
    """Register what is counted for the entry `name`. It is asked with the sidebar's own query, at a moment."""

    def register(expression: Callable[[datetime], Combinable]) -> Callable[[datetime], Combinable]:
        _counts[name] = Count(expression, word)
        return expression

    return register


def measure(workspace_id: int, moment: datetime) -> tuple[int, dict[str, str]]:
    """The number of a workspace's projects, and the badges by their entries' names. One query."""
    asked = {name: count.expression(moment) for name, count in _counts.items()}
    row = (
        Workspace.objects.filter(pk=workspace_id)
        .annotate(project_count=models.Count("projects"), **asked)
        .values("project_count", *asked)
        .get()
    )
    badges = {name: f"{row[name]:,} {_counts[name].word}" for name in asked if row[name]}
    return row["project_count"], badges


MAIN = (
    Entry("overview", "Overview", "layout-dashboard"),
    Entry("notifications", "Notifications", "bell"),
    Entry(
        "deliveries",
        "Deliveries",
        "send",
        pages=frozenset({"delivery", "delivery_redeliver", "event_why", "event_fix", "explain", "explain_fix"}),
    ),
    Entry(
        "projects",
        "Projects",
        "folder",
        pages=frozenset(
            {
                "project_activity",
                "project_general",
                "project_integrations",
                "project_preview",
                "channel",
                "channel_new",
                "channel_toggle",
                "channel_test",
                "channel_pause",
                "channel_recover",
                "channel_delete",
                "channel_rotate",
                "channel_activate",
                "channel_reveal",
            }
        ),
    ),
    Entry("usage", "Usage & plan", "gauge"),
)
SETTINGS = (
    Entry("settings_email", "Email preferences", "mail", pages=frozenset({"settings_email_weekly"})),
    Entry("settings_tokens", "API tokens", "key", Right.CONFIGURE, frozenset({"token_revoke"})),
    Entry(
        "settings_members",
        "Members",
        "users",
        Right.MANAGE,
        frozenset({"member_invite", "member_remove", "invitation_revoke"}),
    ),
    Entry("settings_audit", "Audit log", "history", Right.MANAGE),
)

# As in the sidebar, "Settings" names a group and is no page of its own.
SETTINGS_CRUMB = Link("Settings", "", "", False)


def links(
    entries: tuple[Entry, ...],
    workspace_slug: str,
    role: Role | str,
    current: str,
    badges: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Link]:
    """The entries to show to somebody in `role`; `current` is the URL name of the page that is being shown."""
    for entry in entries:
        if not can(role, entry.right):
            continue
        try:
            address = reverse(entry.name)
        except NoReverseMatch:
            continue
        yield Link(
            entry.label,
            entry.icon,
            f"{address}?{urlencode({'ws': workspace_slug})}",
            current == entry.name or current in entry.pages,
            badges.get(entry.name, ""),
        )
