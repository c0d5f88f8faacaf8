"""What came of handing a mail over: taken, certainly not taken, or nobody knows. Unknown is never tried again."""

import enum
import smtplib
from dataclasses import dataclass

from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
)

from notifications.channels.base import Verdict
from notifications.channels.email.answers import read
from notifications.channels.email.sending import answer_to


class Outcome(enum.Enum):
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Handed:
    """`sentence` says it to people. `bounced`: the address does not exist or takes no mail."""

    outcome: Outcome
    sentence: str
    bounced: bool = False


def reading(error: Exception, *, begun: bool) -> Handed:
    """What an error means. `begun`: it came after the connection stood, while the message was handed over."""
    said = read(answer_to(error))
    if begun and not _is_an_answer(error):
        return Handed(Outcome.UNKNOWN, said.sentence.replace(" We will try again.", ""))
    if said.verdict is Verdict.FAILED:
        return Handed(Outcome.REFUSED, said.sentence, said.bounced)
    return Handed(Outcome.LATER, said.sentence)


def _is_an_answer(error: Exception) -> bool:
    """Whether the server or provider itself said no, so that the message certainly was not taken."""
    if isinstance(error, AnymailAPIError):
        return error.status_code is not None
    return isinstance(
        error,
        smtplib.SMTPRecipientsRefused
        | smtplib.SMTPResponseException
        | smtplib.SMTPNotSupportedError
        | AnymailRecipientsRefused
        | AnymailInvalidAddress
        | AnymailSerializationError
        # Django's BadHeaderError: nothing was sent yet.
        | ValueError,
    )
