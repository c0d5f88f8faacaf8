"""Making mails from the templates in `templates/emails/`, and the one way out for all of them.

The templates are written with classes; their style sheet is inlined here, since mail programs drop it.
"""

import contextlib
import functools
import logging
import re
import smtplib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

# The style sheet marked data-css-inline="keep" (dark mode, phones) stays; the other one becomes style attributes.
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
_AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def compose(
    template: str, to: str, subject: str, values: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> EmailMultiAlternatives:
    """The mail of `emails/<template>.txt` and `.html` to one address. `values` get the subject too."""
    values = {**values, "subject": subject}
    message = EmailMultiAlternatives(
        subject,
        render_text(f"emails/{template}.txt", values),
        settings.DEFAULT_FROM_EMAIL,
        [to],
        headers={**_AUTOMATIC, **(headers or {})},
    )
    message.attach_alternative(render_html(f"emails/{template}.html", values), "text/html")
    return message


def render_html(template: str, values: Mapping[str, Any]) -> str:
    """A mail's HTML with its style sheet inlined. `values` come from outside and are escaped by the template."""
    html = render_to_string(template, {**values, "postal_address": settings.AEGIS_POSTAL_ADDRESS})
    return re.sub(r"\n\s*\n", "\n", _inliner.inline(html))


def render_text(template: str, values: Mapping[str, Any]) -> str:
    text = render_to_string(template, {**values, "postal_address": settings.AEGIS_POSTAL_ADDRESS})
    # What the conditions of a template leave behind: never more than one empty line.
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


class DjangoMailClient:
    """Hands mail to `EMAIL_BACKEND` over one connection that stays open between messages.

    For one thread. A connection with TLS and sign-in costs several round trips, a mail over an open one far fewer.
    """

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, message: EmailMessage) -> None:
        """Raises what the backend raises. A connection that the server closed meanwhile is opened again, once."""
        reused = self._connection is not None
        try:
            self._hand_over(message)
        except smtplib.SMTPServerDisconnected as error:
            # After a timeout the server may have the mail already, and a second try would cost the same time again.
            if not reused or isinstance(error.__context__, TimeoutError):
                raise
            self._hand_over(message)

    def ready(self) -> None:
        """Open the connection, or see that the kept one still works. Raises what the backend raises."""
        if self._connection is not None and not _is_alive(self._connection):
            self.close()
        if self._connection is None:
            self._connection = get_connection()
        try:
            self._connection.open()
        except Exception:
            self.close()
            raise

    def send_once(self, message: EmailMessage) -> None:
        """Like `send`, but a lost connection is never opened again: for mail that must not come twice. Call `ready`
        before, so that what fails here has to do with this message."""
        self._hand_over(message)

    def _hand_over(self, message: EmailMessage) -> None:
        if self._connection is None:
            self._connection = get_connection()
        try:
            self._connection.open()
            sent = self._connection.send_messages([message])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            # The server's word on this message; the conversation goes on.
            raise
        except Exception:
            # In whatever state this left the connection, the next message gets a new one.
            self.close()
            raise
        if sent == 0:
            raise smtplib.SMTPException("The mail backend took nothing.")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()


def _is_alive(connection: BaseEmailBackend) -> bool:
    """Whether the server still answers. Backends without a conversation of their own always do."""
    conversation = getattr(connection, "connection", None)
    if not isinstance(conversation, smtplib.SMTP):
        return True
    try:
        return conversation.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def send_mail_now(message: EmailMessage) -> None:
    """Hand one mail over in the caller's thread. Raises like the backend.

    Call it after the commit: a mail can't be rolled back.
    """
    client = DjangoMailClient()
    try:
        client.send(message)
    finally:
        client.close()


def send_mail_soon(build: Callable[[], EmailMessage]) -> None:
    """After the commit, make a mail and hand it over in a thread of its own: account mail, which a page asks for.

    The page answers at once, however slow the mail server is, and as fast for an address that gets a mail as for one
    that does not. A failure is only logged: every page that asks for a mail offers to send another one. `build` has to
    have what it needs; the threads have no business with the database.
    """
    transaction.on_commit(lambda: _hand_to_thread(build), robust=True)


def _hand_to_thread(build: Callable[[], EmailMessage]) -> None:
    if settings.AEGIS_MAIL_THREADS:
        _threads().submit(_send, build)
    else:
        _send(build)


def _send(build: Callable[[], EmailMessage]) -> None:
    try:
        send_mail_now(build())
    except Exception as error:
        # Addresses stay out of the log; SMTP's refusals name them.
        logger.error("A mail could not be sent: %s", type(error).__name__)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Made at the first mail, so after a server has forked. Python waits for what is under way before it ends."""
    return ThreadPoolExecutor(settings.AEGIS_MAIL_THREADS, thread_name_prefix="mail")
