"""The two seams to the outside, held by each sender thread: HTTP and mail.

Both keep their connections open between messages, so one transport must stay in one thread.
"""

from typing import Protocol

from django.core.mail import EmailMessage

from notifications.channels.base import Answer


class HttpClient(Protocol):
    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """POST once: no redirects, a total deadline, only to judged addresses. Never raises for the other side."""

    def close(self) -> None: ...


class MailClient(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hand one mail to the mail server or provider. Raises what Django's backend raises."""

    def close(self) -> None: ...


class Transport:
    """A thread's clients, made when first used."""

    def __init__(self, http: HttpClient, mail: MailClient) -> None:
        self.http = http
        self.mail = mail

    def close(self) -> None:
        self.http.close()
        self.mail.close()
