"""A message as Slack's Block Kit.

The one line in `text` is what notifications and screen readers say, and what stands above the bar; the details are
blocks of an attachment, because only attachments have the coloured bar. Limits and escaping:
https://docs.slack.dev/reference/block-kit and https://docs.slack.dev/messaging/formatting-message-text.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from notifications.channels import text
from notifications.channels.base import Context
from notifications.channels.tones import COLOURS
from notifications.channels.urls import safe_link
from notifications.messages import Fact, Failure, Message

MAX_LINK = 3000
MAX_FIELDS = 10
TOP_FAILURES = 3
_SHORT_LINE = 300
_SUMMARY = 600
_FACT_LABEL, _FACT_VALUE = 60, 200
_FAILURE_NAME, _FAILURE_MESSAGE = 200, 400

# mrkdwn has no escape for its own marks: a zero-width space after a mark keeps it from pairing.
_MARKS = re.compile(r"[*_~`]|:(?=//|[a-z0-9_+'-]+:)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(message: Message, context: Context, *, compact: bool = False) -> str:
    """The body to post."""
    headline = _mrkdwn(f"{message.emoji} {message.subject}", _SHORT_LINE)
    body: dict[str, Any] = {"text": headline, "unfurl_links": False, "unfurl_media": False}
    if compact:
        lines = (headline, _mrkdwn(message.summary, _SUMMARY), _link(message.link, message.link_label))
        body["text"] = "\n".join(line for line in lines if line)
    else:
        body["attachments"] = [
            {
                "color": f"#{COLOURS[message.tone]:06x}",
                "fallback": headline,
                "blocks": list(_blocks(message, context)),
            }
        ]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _blocks(message: Message, context: Context) -> Iterable[dict[str, Any]]:
    yield {"type": "header", "text": _plain(f"{message.emoji} {message.title}", 150)}
    yield {"type": "section", "text": _plain(message.summary, _SUMMARY)}
    if message.counts:
        yield {"type": "section", "fields": [_field(fact) for fact in message.counts[:MAX_FIELDS]]}
    facts = (Fact("Project", message.project), *message.facts)
    yield {"type": "section", "fields": [_field(fact) for fact in facts[:MAX_FIELDS]]}
    shown = message.failures[:TOP_FAILURES]
    for failure in shown:
        yield {"type": "section", "text": _text(_failure(failure))}
    more = message.failure_count - len(shown)
    if shown and more > 0:
        yield {"type": "context", "elements": [_text(f"and {more:,} more")]}
    link = safe_link(message.link, MAX_LINK)
    if link:
        yield {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "open", "text": _plain(message.link_label, 75), "url": link},
            ],
        }
    small_print = [_text(_mrkdwn(text.local_time(message.occurred_at, context.zone), _SHORT_LINE))]
    why = _link(context.event_url, "Why did I get this?")
    if why:
        small_print.append(_text(why))
    yield {"type": "context", "elements": small_print}


def _field(fact: Fact) -> dict[str, Any]:
    return _text(f"*{_mrkdwn(fact.label, _FACT_LABEL)}*\n{_mrkdwn(fact.value, _FACT_VALUE)}")


def _failure(failure: Failure) -> str:
    name = f"`{_code(failure.name, _FAILURE_NAME)}`"
    return f"{name}\n```{_code(failure.message, _FAILURE_MESSAGE)}```" if failure.message else name


def _text(mrkdwn: str) -> dict[str, Any]:
    # verbatim: names of channels, people and hosts in the text are not made into links.
    return {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}


def _plain(value: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text.fit(text.tidy(value, limit), limit, escape), "emoji": False}


def _mrkdwn(value: str, limit: int) -> str:
    return text.fit(text.tidy(value, limit), limit, escape_mrkdwn)


def _code(value: str, limit: int) -> str:
    """Text between backticks, where no mark counts, and which therefore stays copyable: it holds no backtick itself."""
    return text.fit(text.tidy(value.replace("`", "'"), limit), limit, escape)


def escape(value: str) -> str:
    """The three characters that Slack wants escaped everywhere; this also defuses mentions and links."""
    return value.translate(_ENTITIES)


def escape_mrkdwn(value: str) -> str:
    """Text that shows as it is in mrkdwn."""
    # At the start of a line an escaped ">" still makes a quotation.
    lead = text.ZERO_WIDTH_SPACE if value.startswith(">") else ""
    return lead + escape(_MARKS.sub(lambda mark: mark[0] + text.ZERO_WIDTH_SPACE, value))


def _link(url: str, label: str) -> str:
    """A link within text; empty where the URL is none, or too long once its ampersands are escaped."""
    # `safe_link` encodes | and >.
    link = safe_link(url, MAX_LINK).replace("&", "&amp;")
    return f"<{link}|{_mrkdwn(label, 75)}>" if 0 < len(link) <= MAX_LINK - 100 else ""
