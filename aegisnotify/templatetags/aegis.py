"""Template tags that every page uses: icons, tiles, states, links within the workspace, moments and durations."""

import functools
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegisnotify.text import counted

register = template.Library()
register.filter(counted)

# Never colour alone: every state has a tone, a glyph and a word.
STATES: dict[str, tuple[str, str, str]] = {
    # channels
    "healthy": ("ok", "circle-check", "Healthy"),
    "failing": ("bad", "alert-triangle", "Failing"),
    "suspended": ("bad", "ban", "Suspended"),
    "paused": ("", "player-pause", "Paused"),
    "off": ("line", "bell-off", "Off"),
    "over_plan_limit": ("warn", "lock", "Over the plan limit"),
    # deliveries and their attempts
    "pending": ("accent", "clock", "Pending"),
    "sending": ("accent", "send", "Sending"),
    "retrying": ("warn", "refresh", "Retrying"),
    "held": ("accent", "clock", "Held for the digest"),
    "delivered": ("ok", "check", "Delivered"),
    "failed": ("bad", "x", "Failed"),
    "cancelled": ("line", "ban", "Cancelled"),
    # decisions
    "sent": ("ok", "check", "Sent"),
    "not_sent": ("line", "bell-off", "Not sent"),
    "would_sent": ("ok", "check", "Would be sent"),
    "would_held": ("accent", "clock", "Would be held"),
    "would_not_sent": ("line", "bell-off", "Would not be sent"),
    # addresses
    "confirmed": ("ok", "check", "Confirmed"),
    "unconfirmed": ("warn", "clock", "Unconfirmed"),
    "bounced": ("bad", "x", "Bounced"),
    "unsubscribed": ("line", "bell-off", "Unsubscribed"),
}


@register.simple_tag
@functools.cache
def sprite() -> str:
    """The address of the icon sprite, for `data-sprite` on the root element."""
    return static("vendor/icons.svg")


# There are few icons, and a page can show thousands.
@register.simple_tag
@functools.lru_cache(maxsize=512)
def icon(name: str, size: str = "") -> SafeString:
    """`{% icon "bell" "s" %}`: a decorative icon of the sprite; its meaning stands beside it in words."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>', f" {size}" if size else "", sprite(), name
    )


@register.simple_tag
def tile(name: str, glyph: str, size: str = "") -> SafeString:
    """`{% tile kind.name kind.icon %}`: the glyph of a kind of channel or an event on its colour, decorative."""
    classes = f"tile {name} {size}".strip()
    return format_html('<span class="{}">{}</span>', classes, icon(glyph))


@register.simple_tag
def status(state: str, count: int | None = None) -> SafeString:
    """`{% status "failing" %}`: a state as glyph and word. With a count: "3 delivered"."""
    tone, glyph, word = STATES.get(state, ("", "info-circle", state.replace("_", " ").capitalize()))
    classes = f"badge {tone}".strip()
    words = word if count is None else f"{count:,} {word.lower()}"
    return format_html('<span class="{}">{}{}</span>', classes, icon(glyph), words)


@register.simple_tag(takes_context=True)
def ws_url(context: template.Context, name: str, *args: Any, **query: Any) -> str:
    """`{% ws_url "event_why" event.id %}`: the page's address with `?ws=<workspace>`.

    The workspace is part of every link, so that a link means the same for whoever opens it. Keywords become further
    query parameters.
    """
    workspace = context.get("workspace")
    parameters = {"ws": workspace.slug, **query} if workspace else query
    return reverse(name, args=args) + (f"?{urlencode(parameters)}" if parameters else "")


@register.filter
def moment(value: datetime | None, style: str = "") -> SafeString | str:
    """A moment as `<time>` in the reader's zone: `24 Nov 2026, 10:42`; style `s` adds seconds and the zone."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    clock = f"{local:%H:%M:%S} {local.tzname()}" if style == "s" else f"{local:%H:%M}"
    # HTML allows three digits of a second's fraction.
    exact = local.isoformat(timespec="seconds")
    return format_html('<time datetime="{}">{}</time>', exact, f"{local.day} {local:%b %Y}, {clock}")


@register.filter
def ago(value: datetime, now: datetime) -> str:
    """How long before `now`, in its largest unit: `now`, `2 min`, `7 h`, `3 d`."""
    minutes = int((now - value).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


@register.filter
def number(value: int | None) -> str:
    """`8214` as `8,214`; nothing for None."""
    return f"{value:,}" if value is not None else ""


@register.filter
def latency(milliseconds: int) -> str:
    """`341 ms`, `2.4 s`, `3 min`, `2.5 h`: how long a delivery took, in one unit."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


@register.filter
def backticks(text: str) -> SafeString:
    """Text in which `names` stand between backticks, as HTML with `<code>`."""
    parts = text.split("`")
    return format_html_join("", "{}", ((_code(part) if place % 2 else part,) for place, part in enumerate(parts)))


def _code(text: str) -> SafeString:
    return format_html("<code>{}</code>", text)


@register.filter
def initials(name: str) -> str:
    """`Acme QA` is `AQ`, `Fresh` is `FR`."""
    words = name.split()
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]).upper()


@register.simple_tag
def form_number() -> str:
    """By which a form that is sent twice is known: `aegisnotify.pages.once`."""
    return secrets.token_urlsafe(12)
