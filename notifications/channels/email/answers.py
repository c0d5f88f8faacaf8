"""What the mail server's or provider's answer means.

Codes: RFC 5321 (4.2) and RFC 3463 (enhanced codes). A mail that was handed over is accepted, never "delivered":
whether it arrives is only known from later bounces.
"""

import re

from notifications.channels.answers import retry_after_seconds
from notifications.channels.base import Answer, Reading, Trouble, Verdict
from notifications.messages import clean_text, shorten

# What `sending` adds to say where in the conversation the answer came from.
STAGE, API, CONTENT, ADDRESS = "x-stage", "api", "content", "address"

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_MAILBOX_STATUSES = {550, 551, 553}
# Refusals under the same statuses that say nothing against the address: bad sender (1.7, 1.8), mailbox full or message
# too long (2.2, 2.3), mail system (3.x), security and policy (7.x: relaying denied, or a DMARC failure of ours).
_NOT_THE_ADDRESS = re.compile(r"1\.[78]|2\.[23]|3\.\d+|7\.\d+")


def read(answer: Answer) -> Reading:
    said = _said(answer)
    stage = answer.headers.get(STAGE, "")
    if answer.trouble is Trouble.OURS:
        return Reading(
            Verdict.RETRY, f"{answer.detail or 'Our mail server could not be used.'} We will try again.", ours=True
        )
    if answer.trouble is not None:
        return Reading(Verdict.RETRY, f"{answer.detail or 'No answer from the mail server.'} We will try again.")
    if stage == ADDRESS:
        return Reading(Verdict.FAILED, f"The mail provider refuses this address{said}.", bounced=True)
    if stage == API:
        return _read_api(answer, said)
    if answer.status is None:
        if stage == CONTENT:
            return Reading(Verdict.FAILED, "The mail could not be built for this address.")
        return Reading(Verdict.ACCEPTED, "Handed over to the mail server.")
    if answer.status < 400:
        return Reading(Verdict.ACCEPTED, "Handed over to the mail server.")
    if answer.status < 500:
        return Reading(Verdict.RETRY, f"The mail server asked to try again later{said}.")
    if _blames_address(answer, stage):
        return Reading(
            Verdict.FAILED,
            f"The mail server says that this address does not exist or takes no mail{said}. Check the address.",
            bounced=True,
        )
    return Reading(Verdict.FAILED, f"The mail server refused this mail{said}.")


def _read_api(answer: Answer, said: str) -> Reading:
    """HTTP answers of a mail provider, where 4xx and 5xx mean the opposite of SMTP's."""
    status = answer.status or 0
    if status == 429:
        return Reading(
            Verdict.RETRY,
            f"The mail provider limits our rate{said}.",
            retry_after=retry_after_seconds(answer.headers),
            limited=True,
        )
    if 400 <= status < 500 and status != 408:
        return Reading(Verdict.FAILED, f"The mail provider refused this mail{said}.")
    return Reading(Verdict.RETRY, f"The mail provider could not take the mail{said}. We will try again.")


def _blames_address(answer: Answer, stage: str) -> bool:
    enhanced = _ENHANCED.search(answer.body)
    detail = f"{enhanced[2]}.{enhanced[3]}" if enhanced else ""
    if detail and _NOT_THE_ADDRESS.fullmatch(detail):
        return False
    if detail.startswith("1."):
        return True
    # After the content was sent, a bare 550 judges the mail (spam filters), not the mailbox.
    return answer.status in _MAILBOX_STATUSES and stage != CONTENT


def _said(answer: Answer) -> str:
    text = " ".join(filter(None, [str(answer.status or ""), shorten(clean_text(answer.body), 200).rstrip(".")]))
    return f" ({text})" if text else ""
