"""What a mail provider's report says about an address. Pure.

django-anymail gives every provider's events the same names, but counts soft bounces (a full mailbox, a busy server) as
bounces for some of them. Only the provider's own words tell those apart; they were read in anymail 15.2's webhooks and
the providers' documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BOUNCED, COMPLAINED = "bounced", "complained"

# SparkPost's classes of bounces that pass: its documentation calls 10 and 30 hard, everything below soft or a block.
_SPARKPOST_PASSING = {"20", "21", "22", "23", "24", "25", "40", "50", "51", "52", "53", "54", "60", "70", "80", "100"}
_MAILJET_GONE = {"user unknown", "mailbox inactive", "invalid domain", "no mail host"}


@dataclass(frozen=True, slots=True)
class Report:
    """One event as anymail normalises it. `raw` is what the provider sent; `said` is what a server or it answered."""

    provider: str
    event: str
    recipient: str
    reason: str | None = None
    said: str = ""
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why no more mail may go to an address. `kind` is `BOUNCED` or `COMPLAINED`."""

    kind: str
    detail: str


def judge(report: Report) -> Finding | None:
    """What follows from a report for its address; None when mail goes on.

    A refusal by policy ("blocked") says something about our mail or our domain, not about the address: one broken DMARC
    record would otherwise silence everybody.
    """
    if report.event in ("bounced", "rejected") and _passes(report):
        return None
    match report.event, report.reason:
        case ("complained", _) | ("rejected", "spam"):
            return Finding(COMPLAINED, _words(report, "its owner reported our mail as spam"))
        case ("unsubscribed", _) | ("rejected", "unsubscribed"):
            return Finding(COMPLAINED, _words(report, "its owner unsubscribed from everything there"))
        case ("bounced" | "rejected", "invalid" | "bounced") | ("bounced", None):
            return Finding(BOUNCED, _words(report, "mail to it bounces"))
        case _:
            return None


def _words(report: Report, otherwise: str) -> str:
    return f"{report.provider}: {report.said or otherwise}"


def _passes(report: Report) -> bool:
    """Whether the next mail may well arrive."""
    raw = report.raw if isinstance(report.raw, Mapping) else {}
    match report.provider:
        case "Amazon SES":
            return _at(raw, "bounce", "bounceType") not in (None, "Permanent")
        case "Brevo" | "SendinBlue":
            return raw.get("event") == "soft_bounce"
        case "MailerSend":
            return str(raw.get("type", "")).endswith("soft_bounced")
        case "Mailjet":
            return not raw.get("hard_bounce") and raw.get("error") not in _MAILJET_GONE
        case "Mandrill":
            return raw.get("event") == "soft_bounce"
        case "Postmark":
            return raw.get("Type") == "SoftBounce"
        case "Resend":
            return _at(raw, "data", "bounce", "type") not in (None, "Permanent")
        case "SendGrid":
            return raw.get("type") == "blocked"
        case "SparkPost":
            return str(_at(raw, "msys", "message_event", "bounce_class")) in _SPARKPOST_PASSING
        case _:
            return False


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
