"""A message as one Discord embed.

Limits (https://discord.com/developers/docs/resources/message#embed-limits): title 256, description 4096, 25 fields of
256 and 1024, author 256, footer 2048, and 6000 in all of them together. The bounds below add up to less than 6000.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from notifications.channels import text
from notifications.channels.base import Context
from notifications.channels.tones import COLOURS
from notifications.channels.urls import safe_link
from notifications.messages import Fact, Message

USERNAME = "AegisRunner"
TOP_FAILURES = 3
MAX_EMBED_LINK = 2048
_TEXT_LINK = 700
_TITLE = 256
_AUTHOR = 120
_SUMMARY = 400
_FACTS = 12
_FACT_LABEL, _FACT_VALUE = 40, 100
_FAILURE_NAME, _FAILURE_MESSAGE = 150, 300

# A colon starts a link or an emoji; headings, lists and quotations count at the start alone.
_MARKS = re.compile(r"[\\*_~|\[\]()`]|:(?=//|\w+:)|^[-+#>]")
_NUMBERED = re.compile(r"^(\d+)\.(?!\S)")
_BREAKABLE = re.compile(r"[@<]")


def render(message: Message, context: Context, *, compact: bool = False) -> str:
    """The body to post."""
    embed: dict[str, Any] = {
        "title": _escaped(f"{message.emoji} {message.title}", _TITLE),
        "description": "\n".join(_description(message, context)),
        "color": COLOURS[message.tone],
    }
    link = safe_link(message.link, MAX_EMBED_LINK)
    # Discord refuses an embed whose url names a host of this network ("localhost"); the text above may link there.
    if "." in (urlsplit(link).hostname or ""):
        embed["url"] = link
    if not compact:
        embed["author"] = {"name": _unbroken(message.project, _AUTHOR)}
        embed["fields"] = list(_fields(message))
        embed["footer"] = {"text": text.local_time(message.occurred_at, context.zone)}
        embed["timestamp"] = _timestamp(message.occurred_at)
    body = {"username": USERNAME, "allowed_mentions": {"parse": []}, "embeds": [embed]}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _description(message: Message, context: Context) -> Iterable[str]:
    yield _escaped(message.summary, _SUMMARY)
    targets = ((message.link_label, message.link), ("Why did I get this?", context.event_url))
    links = [
        f"[{_escaped(label, _FACT_LABEL)}]({link})" for label, url in targets if (link := safe_link(url, _TEXT_LINK))
    ]
    if links:
        yield " · ".join(links)


def _fields(message: Message) -> Iterable[dict[str, Any]]:
    for fact in (*message.counts, *message.facts)[:_FACTS]:
        yield _field(fact, _FACT_LABEL, _FACT_VALUE, inline=True)
    shown = message.failures[:TOP_FAILURES]
    for failure in shown:
        yield _field(Fact(failure.name, failure.message), _FAILURE_NAME, _FAILURE_MESSAGE, inline=False)
    more = message.failure_count - len(shown)
    if shown and more > 0:
        yield {"name": f"and {more:,} more", "value": text.ZERO_WIDTH_SPACE, "inline": False}


def _field(fact: Fact, label: int, value: int, *, inline: bool) -> dict[str, Any]:
    return {"name": _escaped(fact.label, label), "value": _escaped(fact.value, value), "inline": inline}


def _escaped(value: str, limit: int) -> str:
    return text.fit(text.tidy(value, limit), limit, escape)


def _unbroken(value: str, limit: int) -> str:
    """Text for where Discord shows no Markdown."""
    return text.fit(text.tidy(value, limit), limit, defuse)


def escape(value: str) -> str:
    """One line of text that shows as it is in Discord's Markdown (after `escapeMarkdown` of discord.js)."""
    return defuse(_NUMBERED.sub(r"\1\\.", _MARKS.sub(lambda mark: f"\\{mark[0]}", value)))


def defuse(value: str) -> str:
    """Text in which nothing is a mention, a timestamp or a custom emoji."""
    return _BREAKABLE.sub(lambda character: character[0] + text.ZERO_WIDTH_SPACE, value)


def _timestamp(moment: datetime) -> str:
    return text.in_zone(moment, UTC).isoformat(timespec="milliseconds")
