"""Handing mail to the configured backend: the one way out for all mail."""

import contextlib
import smtplib

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend


class DjangoMailClient:
    """A `transport.MailClient` over `EMAIL_BACKEND`, with one connection that stays open between messages.

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


def send_mail_now(message: EmailMessage) -> None:
    """Hand one mail over in the caller's thread: confirmation, invitation and password mail. Raises like the backend.

    Call it after the commit: a mail can't be rolled back.
    """
    client = DjangoMailClient()
    try:
        client.send(message)
    finally:
        client.close()
