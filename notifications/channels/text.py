"""Shortening and escaping for chat messages. Pure.

Lengths are counted in UTF-16 units, where an emoji counts twice: the strictest of the ways in which providers count, so
a text that fits by it fits by all.
"""

import unicodedata
from collections.abc import Callable
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from notifications.messages import clean_text

ZERO_WIDTH_SPACE = "\u200b"
ELLIPSIS = "…"
_INVISIBLE_CATEGORIES = {"Cf", "Mn", "Me", "Zs", "Zl", "Zp"}


def length(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """At most `limit` units of the text, the last an ellipsis where something was cut."""
    if len(text) <= limit and length(text) <= limit:
        return text
    # Cutting a pair of units in half leaves what is no character; decoding drops it.
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * max(limit - 1, 0)].decode("utf-16-le", "ignore")
    return kept.rstrip() + ELLIPSIS[:limit]


def fit(text: str, limit: int, escape: Callable[[str], str]) -> str:
    """The escaped text in at most `limit` units: shortened before it is escaped, so that no escape is cut in half."""
    text = clip(text, limit)
    escaped = escape(text)
    if length(escaped) <= limit:
        return escaped
    fits, too_long = 0, length(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if length(escape(clip(text, middle))) <= limit:
            fits = middle
        else:
            too_long = middle
    return escape(clip(text, fits))


def tidy(text: str, limit: int, empty: str = "–") -> str:
    """One clean line of at most `limit` units that shows something: `empty` where nothing would be seen.

    Providers trim what they take for white space and then refuse an empty text.
    """
    # Cut first: cleaning looks at every character, and folding white space seldom makes a text four times shorter.
    text = clip(clean_text(text[: limit * 4]), limit)
    return text if _shows(text) else empty


def _shows(text: str) -> bool:
    return any(unicodedata.category(character) not in _INVISIBLE_CATEGORIES for character in text)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment in this zone; as it is where it has no time there (the first and last day of the calendar)."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """`28 Apr 2026, 12:42 (Europe/Berlin)`."""
    local = in_zone(moment, zone)
    name = getattr(local.tzinfo, "key", None) or local.tzname()
    return f"{local.day} {local:%b} {local.year}, {local:%H:%M} ({name})"
