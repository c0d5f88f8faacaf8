"""A message as an Adaptive Card, in the envelope that workflows loop over.

Names from outside stand in RichTextBlocks, which know no Markdown, wherever there is a choice; facts have only
Markdown, so they are escaped. Documented limit: 28 KB; cards over about 20 KB were seen to fail, and the bounds below
stay under that even where every character takes four bytes. Sources: https://adaptivecards.io/explorer and
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from notifications.channels import text
from notifications.channels.base import Context
from notifications.channels.urls import safe_link
from notifications.messages import Fact, Message, Tone

TOP_FAILURES = 3
_LINK, _EVENT_LINK = 2000, 1000
_TITLE = 200
_PROJECT = 100
_SUMMARY = 200
_COUNTS = 4
_FACTS = 8
_FACT_LABEL, _FACT_VALUE = 30, 80
_FAILURE_NAME, _FAILURE_MESSAGE = 120, 220

STYLES: Mapping[Tone, str] = {Tone.GOOD: "good", Tone.BAD: "attention", Tone.NEUTRAL: "accent"}

_MARKS = re.compile(r"[\\*_\[\]()`]")
_LIST_START = re.compile(r"^(?:([-+#>])|(\d+)\.(?!\S))")
# {{DATE(…)}} and ${…} are functions of cards, <at> is a mention; a zero-width space leaves them text.
_FUNCTIONS = re.compile(r"\{(?=\{)|\$(?=\{)|<(?=[A-Za-z/])")


def render(message: Message, context: Context, *, compact: bool = False) -> str:
    """The body to post."""
    headline = _plain(f"{message.emoji} {message.subject}", _TITLE)
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": headline,
        "msteams": {"width": "Full"},
        "body": [_heading(message)] if compact else list(_body(message, context)),
    }
    actions = list(_actions(message, context))
    if actions:
        card["actions"] = actions
    body = {
        "type": "message",
        "summary": headline,
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card},
        ],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _body(message: Message, context: Context) -> Iterable[dict[str, Any]]:
    yield _heading(message)
    if message.counts:
        yield {
            "type": "ColumnSet",
            "columns": [_count(fact) for fact in message.counts[:_COUNTS]],
        }
    facts = [_fact(fact) for fact in message.facts[:_FACTS]]
    if facts:
        yield {"type": "FactSet", "facts": facts}
    shown = message.failures[:TOP_FAILURES]
    for failure in shown:
        lines = [_rich(_plain(failure.name, _FAILURE_NAME), weight="Bolder")]
        if failure.message:
            lines.append(_rich(_plain(failure.message, _FAILURE_MESSAGE)) | {"spacing": "None"})
        yield {"type": "Container", "separator": True, "items": lines}
    more = message.failure_count - len(shown)
    if shown and more > 0:
        yield _rich(f"and {more:,} more", isSubtle=True)
    yield _rich(_plain(text.local_time(message.occurred_at, context.zone), _PROJECT), isSubtle=True, size="Small")


def _heading(message: Message) -> dict[str, Any]:
    return {
        "type": "Container",
        "style": STYLES[message.tone],
        "bleed": True,
        "items": [
            _rich(_plain(message.project, _PROJECT), isSubtle=True),
            _rich(_plain(f"{message.emoji} {message.title}", _TITLE), size="Large", weight="Bolder")
            | {"spacing": "None"},
            _rich(_plain(message.summary, _SUMMARY)),
        ],
    }


def _count(fact: Fact) -> dict[str, Any]:
    return {
        "type": "Column",
        "width": "stretch",
        "items": [
            _rich(_plain(fact.label, _FACT_LABEL), isSubtle=True),
            _rich(_plain(fact.value, _FACT_VALUE), size="Large", weight="Bolder") | {"spacing": "None"},
        ],
    }


def _fact(fact: Fact) -> dict[str, str]:
    return {"title": _markdown(fact.label, _FACT_LABEL), "value": _markdown(fact.value, _FACT_VALUE)}


def _actions(message: Message, context: Context) -> Iterable[dict[str, str]]:
    targets = (
        (message.link_label, safe_link(message.link, _LINK)),
        ("Why did I get this?", safe_link(context.event_url, _EVENT_LINK)),
    )
    for title, link in targets:
        if link:
            yield {"type": "Action.OpenUrl", "title": _plain(title, _FACT_VALUE), "url": link}


def _rich(value: str, **look: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": value, **look}]}


def _plain(value: str, limit: int) -> str:
    """Text for where Teams shows no Markdown."""
    return text.fit(text.tidy(value, limit), limit, defuse)


def _markdown(value: str, limit: int) -> str:
    return text.fit(text.tidy(value, limit), limit, escape)


def escape(value: str) -> str:
    """Text that shows as it is in the Markdown of cards."""
    value = _MARKS.sub(lambda mark: f"\\{mark[0]}", value)
    return defuse(_LIST_START.sub(lambda start: f"\\{start[1]}" if start[1] else f"{start[2]}\\.", value))


def defuse(value: str) -> str:
    """Text in which nothing is a card's function or a mention."""
    return _FUNCTIONS.sub(lambda start: start[0] + text.ZERO_WIDTH_SPACE, value)
