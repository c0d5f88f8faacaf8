"""Checking who an email channel writes to, and when."""

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from notifications.channels.base import Checked
from notifications.messages import shorten
from projects.emails import normalize_email
from projects.errors import Invalid

MAX_RECIPIENTS = 20
# RFC 5321, 4.5.3.1.3: a path has at most 256 characters, two of them the angle brackets.
MAX_LENGTH = 254
IMMEDIATE, DAILY_DIGEST = "immediate", "daily_digest"
DEFAULT_TIME = time(8)
_MODES = f"Choose {IMMEDIATE} or {DAILY_DIGEST}."
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_validate = EmailValidator()


def check(submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
    """No recipients means: the workspace's owner. Raises `Invalid` with sentences for each field that is wrong."""
    values = {"recipients": (), "mode": IMMEDIATE, "digest_time": None, **(current or {}), **submitted}
    errors: dict[str, list[str]] = {}
    recipients, errors["recipients"] = _recipients(values["recipients"])
    mode = values["mode"]
    # Anything can be submitted, also what has no hash.
    errors["mode"] = [] if isinstance(mode, str) and mode in (IMMEDIATE, DAILY_DIGEST) else [_MODES]
    digest_time = None
    if mode == DAILY_DIGEST:
        digest_time, errors["digest_time"] = _time(values["digest_time"])
    elif mode == IMMEDIATE and submitted.get("digest_time") not in (None, ""):
        # Refused only where somebody gave one: a channel that leaves the mode drops its time.
        errors["digest_time"] = ["Only the daily digest mode has a time. Leave it out."]
    found = {field: sentences for field, sentences in errors.items() if sentences}
    if found:
        raise Invalid(found)
    return Checked(config={}, recipients=recipients, mode=mode, digest_time=digest_time)


def _recipients(value: Any) -> tuple[tuple[str, ...], list[str]]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return (), ["Give a list of email addresses."]
    if not all(isinstance(address, str) for address in value):
        return (), ["Every recipient must be an email address as text."]
    if len(value) > MAX_RECIPIENTS:
        return (), [f"At most {MAX_RECIPIENTS} addresses; these are {len(value):,}."]
    errors: list[str] = []
    accepted: dict[str, None] = {}
    for address in map(normalize_email, value):
        if not is_address(address):
            errors.append(f"“{shorten(address, 60)}” is not an email address.")
        elif address in accepted:
            errors.append(f"“{shorten(address, 60)}” is in the list more than once.")
        else:
            accepted[address] = None
    return tuple(accepted), errors


def is_address(address: str) -> bool:
    """Whether it is one plain address (without a name) that mail can be sent to."""
    # The validator lets control characters through inside a quoted local part.
    if len(address) > MAX_LENGTH or not address.isprintable():
        return False
    try:
        _validate(address)
    except ValidationError:
        return False
    return True


def _time(value: Any) -> tuple[time | None, list[str]]:
    if value in (None, ""):
        return DEFAULT_TIME, []
    if isinstance(value, time):
        return value, []
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None, ["Give a time from 00:00 to 23:59, such as 07:30."]
    hours, minutes = value.split(":")
    return time(int(hours), int(minutes)), []
