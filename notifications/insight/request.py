"""What was sent, made fit to be looked at: readable, and without anything that gives its reader a right. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifications.channels.webhook import signature
from notifications.delivery.scrub import MASK, scrub

# A signed link lets whoever has it act for somebody without signing in (`aegisnotify.signed_links`): payload, moment
# and signature, base64 without padding, with colons between.
_SIGNED = re.compile(r"[A-Za-z0-9_-]{8,}(?::|%3A)[A-Za-z0-9_-]{4,}(?::|%3A)[A-Za-z0-9_-]{20,}", re.IGNORECASE)
_SIGNATURES = ("x-aegisrunner-signature", "x-aegisrunner-signature-next", "webhook-signature")
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it was sent. `text` is JSON with line breaks, or the text of a mail; `size` counts its bytes."""

    headers: tuple[tuple[str, str], ...]
    text: str
    size: int
    subject: str = ""


def masked(text: str) -> str:
    """`text` without the tokens of signed links, which mail contains, and answers of mail servers may repeat."""
    return _SIGNED.sub(MASK, text)


def of_webhook(body: str, *, delivery_id: str, event: str, at: datetime, staged: bool, secrets: Iterable[str]) -> Shown:
    """The signatures are not kept: they are made anew for every try, with the secret of that moment."""
    made = signature.headers(
        delivery_id=delivery_id, event=event, at=at, body=b"", secret="", next_secret="" if staged else None
    )
    headers = tuple((name, _unsigned(value) if name.lower() in _SIGNATURES else value) for name, value in made.items())
    return Shown(headers, _pretty(scrub(body, secrets, _LONGEST)), len(body.encode()))


def of_chat(body: str, secrets: Iterable[str], user_agent: str) -> Shown:
    return Shown(
        (("Content-Type", "application/json; charset=utf-8"), ("User-Agent", user_agent)),
        _pretty(scrub(body, secrets, _LONGEST)),
        len(body.encode()),
    )


def of_mail(body: str, recipient: str) -> Shown:
    """Of the two forms of a mail the text: the HTML says the same."""
    mail = _object(body)
    headers = mail.get("headers") if isinstance(mail.get("headers"), dict) else {}
    shown = (("To", recipient), *((str(name), masked(str(value))) for name, value in dict(headers or {}).items()))
    return Shown(shown, masked(str(mail.get("text", ""))), len(body.encode()), masked(str(mail.get("subject", ""))))


def _unsigned(value: str) -> str:
    """`sha256=•••`, `v1,•••`."""
    return " ".join(re.sub(r"(?<=[=,]).+", MASK, each, count=1) for each in value.split(" "))


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


def _object(body: str) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
