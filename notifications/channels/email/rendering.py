"""Text and HTML of a notification mail, from the templates in `templates/emails/`."""

import json
from typing import Any

from aegisnotify.mail import render_html, render_text
from aegisnotify.text import clean_text, unlinked
from notifications.channels.base import Context
from notifications.channels.email import headers
from notifications.channels.text import clip, local_time, tidy
from notifications.channels.urls import safe_link
from notifications.messages import Fact, Message

# Together these keep the HTML under 80 KB when every character becomes a six-byte entity. Gmail cuts off what is above
# about 102 KB, and with it the unsubscribe link.
_SUBJECT, _NAME, _VALUE, _ERROR, _SENTENCE, _URL = 150, 200, 300, 400, 600, 2000
_FAILURES, _COUNTS, _FACTS = 10, 4, 12


def render(message: Message, context: Context, *, compact: bool = False) -> str:
    """JSON with `subject`, `text`, `html` and `headers`: all that `sending` needs, so retries send the same mail."""
    subject = tidy(message.subject, _SUBJECT)
    values = _values(message, context, compact=compact) | {"subject": subject}
    return json.dumps(
        {
            "subject": subject,
            "text": render_text("emails/event.txt", values),
            "html": render_html("emails/event.html", values),
            "headers": headers.for_message(message, context),
        },
        ensure_ascii=False,
    )


def _values(message: Message, context: Context, *, compact: bool) -> dict[str, Any]:
    failures = () if compact else message.failures[:_FAILURES]
    first = f"First failure: {failures[0].name}" if failures else message.summary
    return {
        "tone": message.tone.value,
        "title": _outside(message.title, _VALUE),
        "preheader": _outside(first, _NAME),
        "project": _outside(message.project, _NAME),
        "when": local_time(message.occurred_at, context.zone),
        "summary": _outside(message.summary, _SENTENCE),
        "counts": _facts(message.counts[:_COUNTS]),
        "facts": () if compact else _facts(message.facts[:_FACTS]),
        "failures": [
            {"name": _outside(failure.name, _NAME), "message": _outside(failure.message, _ERROR)}
            for failure in failures
        ],
        "failure_count": message.failure_count,
        "link": safe_link(message.link, _URL),
        "link_label": message.link_label,
        "event_url": context.event_url if context.is_member else "",
        "reason": _outside(context.reason, _SENTENCE),
        "unsubscribe_url": context.unsubscribe_url,
        "preferences_url": context.preferences_url if context.is_member else "",
        "test": message.test,
    }


def _facts(facts: tuple[Fact, ...]) -> list[dict[str, str]]:
    return [{"label": fact.label, "value": _outside(fact.value, _VALUE)} for fact in facts]


def _outside(text: str, limit: int) -> str:
    return unlinked(clip(clean_text(text), limit))
