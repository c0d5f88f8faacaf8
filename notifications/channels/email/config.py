"""Checking who an email channel writes to, and when."""

from collections.abc import Mapping, Sequence
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
_validate = EmailValidator()


def check(submitted: Mapping[str, Any], current: Mapping[str, Any] | None) -> Checked:
    """No recipients means: the workspace's owner. Raises `Invalid` with sentences for each field that is wrong."""
    values = {"recipients": (), "mode": IMMEDIATE, "digest_time": None, **(current or {}), **submitted}
    errors: dict[str, list[str]] = {}
    recipients, errors["recipients"] = _recipients(values["recipients"])
    errors["mode"] = _mode_errors(values["mode"])
    # A time without the digest is refused only where somebody gave one: a channel that leaves the mode drops it.
    if values["mode"] == IMMEDIATE and submitted.get("digest_time") not in (None, ""):
        errors["digest_time"] = ["Only the daily digest mode has a time. Leave it out."]
    found = {field: sentences for field, sentences in errors.items() if sentences}
    if found:
        raise Invalid(found)
    return Checked(config={}, recipients=recipients, mode=IMMEDIATE)


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


def _mode_errors(mode: Any) -> list[str]:
    if mode == DAILY_DIGEST:
        return ["The daily digest mode is not available yet. Choose immediate."]
    return [] if mode == IMMEDIATE else ["Choose immediate."]
