"""The mail of a digest, nudge or warning: one template for all, filled with words from outside made harmless."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from aegisnotify.mail import compose
from aegisnotify.text import clean_text, unlinked
from digests.links import unsubscribe_headers, workspace_unsubscribe_url
from digests.models import Mailing
from notifications.channels.email.headers import domain, list_id
from notifications.channels.text import clip, tidy
from projects.access import Right, can
from projects.models import User, Workspace

# Together with the rows a section may have, these keep the HTML under 80 KB when every character becomes an entity.
_SUBJECT, _NAME, _DETAIL, _SENTENCE = 150, 100, 160, 500


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a section, or a number. `tone` is "ok", "bad" or empty."""

    name: str
    value: str
    detail: str = ""
    tone: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """`more` says how many rows are not shown."""

    title: str
    rows: tuple[Line, ...]
    more: str = ""


def mail(
    mailing: Mailing,
    *,
    subject: str,
    kicker: str,
    heading: str,
    lead: str,
    preheader: str,
    tone: str,
    action: Link,
    reason: str,
    list_name: str,
    counts: Iterable[Line] = (),
    bar: Mapping[str, Any] | None = None,
    sections: Iterable[Section] = (),
    other: Link | None = None,
    unsubscribe: Link | None = None,
    for_all: Link | None = None,
    preferences_url: str = "",
) -> EmailMessage:
    """`list_name` is what mail programs call the list it belongs to. Without `unsubscribe` it can't be stopped.

    `for_all` stops it for the whole workspace.
    """
    values = {
        "kicker": _outside(kicker, _DETAIL),
        "heading": _outside(heading, _SENTENCE),
        "lead": _outside(lead, _SENTENCE),
        "preheader": _outside(preheader, _DETAIL),
        "tone": tone,
        "counts": [_line(count) for count in counts],
        "bar": bar,
        "sections": [
            Section(section.title, tuple(_line(row) for row in section.rows), section.more)
            for section in sections
            if section.rows
        ],
        "action": Link(_outside(action.label, _NAME), action.url),
        "other": other,
        "reason": _outside(reason, _SENTENCE),
        "unsubscribe": unsubscribe and Link(_outside(unsubscribe.label, _DETAIL), unsubscribe.url),
        "for_all": for_all and Link(_outside(for_all.label, _DETAIL), for_all.url),
        "preferences_url": preferences_url,
    }
    headers = {
        # The same on every try.
        "Message-ID": f"<mailing-{mailing.pk}@{domain()}>",
        "List-ID": list_id(list_name, f"{mailing.kind}.digests"),
        **(unsubscribe_headers(unsubscribe.url) if unsubscribe else {}),
    }
    return compose("digest", mailing.recipient, tidy(unlinked(subject), _SUBJECT), values, headers=headers)


def page(name: str, workspace: Workspace | None = None, *args: Any, **query: str) -> str:
    """The address of one of our pages, for that workspace."""
    query = ({"ws": workspace.slug} if workspace else {}) | query
    return settings.AEGIS_BASE_URL + reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")


def stop_for_all(user: User, workspace: Workspace, role: str) -> Link | None:
    """For who may: stops reminders and weekly digests of a workspace to everybody."""
    if not can(role, Right.MANAGE):
        return None
    name = clean_text(workspace.name) or "the workspace"
    return Link(f"Stop reminders and digests for all of {name}", workspace_unsubscribe_url(user.pk, workspace.pk))


def preferences_page(workspace: Workspace | None) -> str:
    return page("settings_email", workspace)


def _line(line: Line) -> Line:
    return Line(
        _outside(line.name, _NAME), _outside(line.value, _NAME), _outside(line.detail, _DETAIL), line.tone, line.link
    )


def _outside(text: str, limit: int) -> str:
    return unlinked(clip(clean_text(text), limit))
