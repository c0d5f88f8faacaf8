"""Handing a rendered mail over, and saying what came of it."""

import json
import logging
import smtplib
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
)
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.base import Answer, Outgoing, Trouble
from notifications.channels.email.answers import ADDRESS, API, CONTENT, STAGE

if TYPE_CHECKING:
    from notifications.delivery.transport import MailClient

logger = logging.getLogger(__name__)
_BODY_LIMIT = 4096


def send(outgoing: Outgoing, client: "MailClient") -> Answer:
    """Hand it over, once. Whatever the server, the provider or the network does becomes an `Answer`."""
    message = _message(outgoing)
    begun = time.perf_counter()
    try:
        client.send(message)
        answer = Answer()
    except Exception as error:
        # Backends raise what their libraries raise; what is not known is logged there.
        answer = answer_to(error)
    return replace(answer, duration_ms=round((time.perf_counter() - begun) * 1000))


def _message(outgoing: Outgoing) -> AnymailMessage:
    """`tags` and `metadata` reach providers that have them (django-anymail); SMTP ignores both."""
    body = json.loads(outgoing.body)
    message = AnymailMessage(
        subject=body["subject"],
        body=body["text"],
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[outgoing.recipient],
        headers=body["headers"],
        tags=[outgoing.event],
        metadata={"delivery_id": outgoing.delivery_id},
    )
    message.attach_alternative(body["html"], "text/html")
    return message


def answer_to(error: Exception) -> Answer:
    """What a mail backend raised, as an answer that `answers.read` reads."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return _refused(error)
        case smtplib.SMTPAuthenticationError():
            return _ours("The mail server refused our sign-in.", error.smtp_code)
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
            return _ours("The mail server turned our connection away.", error.smtp_code)
        case smtplib.SMTPSenderRefused():
            return _sender_refused(error)
        case smtplib.SMTPResponseException():
            return Answer(error.smtp_code, {STAGE: CONTENT}, _text(error.smtp_error))
        case smtplib.SMTPServerDisconnected():
            return _ours("The mail server closed the connection.")
        case smtplib.SMTPException():
            return _ours("The mail server does not do what our settings ask of it.")
        case AnymailRecipientsRefused() | AnymailInvalidAddress():
            return Answer(headers={STAGE: ADDRESS}, body="refused or invalid")
        case AnymailAPIError():
            return _provider_answer(error)
        case AnymailSerializationError():
            return Answer(headers={STAGE: CONTENT})
        case AnymailError() | ImproperlyConfigured():
            return _ours("The mail provider can't be used with our settings.")
        case TimeoutError():
            return _ours("The mail server did not answer in time.")
        case ssl.SSLError():
            return _ours("No secure connection to the mail server.")
        case OSError():
            return _ours("The mail server can't be reached.")
        case ValueError():
            # Django's BadHeaderError, or a name that no encoding takes.
            return Answer(headers={STAGE: CONTENT})
        case _:
            logger.error("The mail backend failed.", exc_info=error)
            return _ours(f"The mail backend failed ({type(error).__name__}).")


def _refused(error: smtplib.SMTPRecipientsRefused) -> Answer:
    """Django raises the same class for "not now" (4xx) and "never" (5xx): the codes are inside."""
    code, text = next(iter(error.recipients.values()), (450, b""))
    return Answer(code, body=_text(text))


def _sender_refused(error: smtplib.SMTPSenderRefused) -> Answer:
    """The answer to MAIL FROM: too large (552, RFC 1870), not now (4xx), or our own address is not welcome."""
    if error.smtp_code < 500 or error.smtp_code == 552:
        return Answer(error.smtp_code, {STAGE: CONTENT}, _text(error.smtp_error))
    return _ours("The mail server refuses our sender address.", error.smtp_code)


def _provider_answer(error: AnymailAPIError) -> Answer:
    response = error.response
    status = error.status_code
    if status in (400, 401, 403):
        return _ours("The mail provider refuses our account or settings.", status)
    headers = {STAGE: API}
    if response is not None and response.headers.get("Retry-After"):
        headers["retry-after"] = response.headers["Retry-After"]
    return Answer(status, headers, _text(getattr(response, "content", b"")))


def _ours(detail: str, status: int | None = None) -> Answer:
    return Answer(status, trouble=Trouble.OURS, detail=f"{detail} ({status})" if status else detail)


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text[:_BODY_LIMIT]
