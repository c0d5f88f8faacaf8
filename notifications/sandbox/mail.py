"""A mail backend that hands every mail to the sandbox instead of a mail server."""

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.sandbox import arrivals
from notifications.sandbox.arrivals import Arrival


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises what a mail server's backend would for bad headers, since the mail is put together as for sending."""
        for message in email_messages:
            built = message.message()
            headers = {name: str(value).replace("\n", "") for name, value in built.items()}
            # Shown decoded, where the wire has encoded words and folded lines.
            headers |= {"Subject": str(message.subject), "From": message.from_email}
            arrivals.store(
                Arrival(
                    kind="email",
                    target=", ".join(message.recipients()),
                    headers=headers,
                    body=str(message.body),
                    html=_html(message),
                )
            )
        return len(email_messages)


def _html(message: EmailMessage) -> str:
    alternatives = message.alternatives if isinstance(message, EmailMultiAlternatives) else []
    return next((str(content) for content, kind in alternatives if kind == "text/html"), "")
