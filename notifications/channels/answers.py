"""What kinds share in reading answers: troubles, statuses that mean "try again", how long the other side asks to wait.

Pure. `receiver` is who was asked, as it stands at the start of a sentence: "Slack", "The endpoint". Sentences never
quote a body: a receiver may echo our URL, and with it the secret.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from notifications.channels.base import Answer, Reading, Trouble, Verdict

TEMPORARY_STATUSES = frozenset({408, 425, 429})
"""Statuses under 500 that ask for another try. Every 5xx does too."""


def read_trouble(answer: Answer, receiver: str) -> Reading | None:
    """The reading where there is no status to read; None where there is one."""
    if answer.trouble is None and answer.status is not None:
        return None
    match answer.trouble:
        case Trouble.TIMEOUT:
            return _again(f"{receiver} did not answer in time. This is usually temporary.")
        case Trouble.DNS:
            return _again(f"The host name of the URL was not found{_detail(answer)}. Check the URL if this stays.")
        case Trouble.TLS:
            return _again(
                f"The secure connection to {_inside(receiver)} failed{_detail(answer)}. "
                "Check the certificate of the receiving side if this stays."
            )
        case Trouble.BLOCKED:
            return Reading(
                Verdict.FAILED,
                f"Nothing was sent: the URL leads to an address that is not allowed{_detail(answer)}. "
                "Use a URL with a public address.",
            )
        case Trouble.OURS:
            return Reading(
                Verdict.RETRY,
                f"Nothing was sent: the fault is on our side{_detail(answer)}. It is tried again, nothing is lost.",
                ours=True,
            )
    return _again(
        f"The connection to {_inside(receiver)} failed or broke off{_detail(answer)}. This is usually temporary."
    )


def is_temporary(status: int) -> bool:
    """Whether every kind tries again after this status."""
    return status in TEMPORARY_STATUSES or 500 <= status <= 599


def read_temporary(answer: Answer, receiver: str) -> Reading | None:
    """The reading of 408, 425, 429 and 5xx; None for every other status. `Retry-After` counts on 429 and 503."""
    status = answer.status
    if status is None or not is_temporary(status):
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return read_limited(receiver, retry_after_seconds(answer.headers))
    return Reading(
        Verdict.RETRY,
        f"{receiver} answered {describe(status)}. This is usually temporary.",
        retry_after=retry_after_seconds(answer.headers) if status == HTTPStatus.SERVICE_UNAVAILABLE else None,
    )


def read_limited(receiver: str, wait: float | None) -> Reading:
    """The reading of a 429. `wait`, in seconds, is what the other side asked for."""
    asked = f" and asked to wait {_seconds(wait)}" if wait else ""
    return Reading(
        Verdict.RETRY,
        f"{receiver} answered 429 Too Many Requests{asked}. Messages to this channel wait and are tried again.",
        retry_after=wait,
        limited=True,
    )


def read_final(answer: Answer, receiver: str) -> Reading:
    """The reading of any other status that is no success, where it is final: redirects, 410, 413, other 4xx."""
    status = answer.status or 0
    said = f"{receiver} answered {describe(status)}"
    if 300 <= status <= 399:
        return Reading(
            Verdict.FAILED,
            f"{said}: a redirect, and redirects are never followed. Replace the URL by the one it leads to.",
        )
    if status == HTTPStatus.GONE:
        return Reading(
            Verdict.FAILED, f"{said}: the webhook is gone for good. Create a new one and replace the URL.", gone=True
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return read_too_large(said)
    return Reading(Verdict.FAILED, f"{said} and did not take the message. Check the URL, then send a test.")


def read_too_large(said: str) -> Reading:
    """The reading of "too large". `said` is how the answer is named: "Slack answered 413 Content Too Large"."""
    return Reading(
        Verdict.FAILED, f"{said}: the message was too large. It is sent once more in a short form.", too_large=True
    )


def describe(status: int) -> str:
    """`404 Not Found`; the bare number where it has no standard phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait; None where it is missing or makes no sense.

    Whole seconds, as the RFC has them, fractions, as Discord has them, or a date: that one is taken relative to the
    answer's own `Date`, which is right even where the two clocks differ, and ignored without it. Never negative.
    """
    value = headers.get("retry-after", "").strip()
    seconds = as_seconds(value)
    if seconds is not None:
        return seconds
    until, now = _http_date(value), _http_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max((until - now).total_seconds(), 0.0)


def as_seconds(value: object) -> float | None:
    """A number of seconds as providers give it, as number or text; None for what is negative, endless or none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def json_object(body: str) -> Mapping[str, Any]:
    """The JSON object in a body; empty where it is anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _again(sentence: str) -> Reading:
    return Reading(Verdict.RETRY, sentence)


def _detail(answer: Answer) -> str:
    return f" ({answer.detail.rstrip('.')})" if answer.detail else ""


def _inside(receiver: str) -> str:
    """The receiver's name inside a sentence: "The endpoint" loses its capital."""
    return f"the {receiver[4:]}" if receiver.startswith("The ") else receiver


def _seconds(wait: float) -> str:
    return "1 second" if wait == 1 else f"{wait:,.10g} seconds"


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
