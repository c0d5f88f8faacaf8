"""Headers that make a notification mail behave: threads, lists, one-click unsubscribe, no auto-replies."""

import hashlib
from email.header import Header
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings

from notifications.channels.base import Context
from notifications.messages import Message, clean_text, shorten


def for_message(message: Message, context: Context) -> dict[str, str]:
    """All values are ASCII without line breaks, so Django sends them as they are."""
    root = f"<thread-{_digest(context.project_id, message.thread, context.recipient)}@{domain()}>"
    headers = {
        # The same on every retry: a server or reader that gets a mail twice can tell.
        "Message-ID": f"<delivery-{context.delivery_id}@{domain()}>",
        # A root that was never sent: mail programs group by it all the same, nothing has to be looked up, and a
        # provider that replaces our Message-ID does not break the thread.
        "References": root,
        "In-Reply-To": root,
        "List-ID": list_id(message.project, f"project-{context.project_id}.events"),
        "Auto-Submitted": "auto-generated",  # RFC 3834
        "X-Auto-Response-Suppress": "All",  # Exchange: no out-of-office replies
    }
    if context.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{context.unsubscribe_url}>"  # RFC 2369
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    return headers


def list_id(name: str, label: str) -> str:
    """RFC 2919: the list's name for people, and its identifier below our domain."""
    return f"{_phrase(name)} <{label}.{domain()}>"


def domain() -> str:
    """The domain of our sender address, else of our links."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    domain = domain or urlsplit(settings.AEGIS_BASE_URL).hostname or "localhost"
    return domain.encode("idna").decode()


def _phrase(project: str) -> str:
    """The list's name for people: a quoted string (RFC 5322), or encoded words (RFC 2047) where it is not ASCII."""
    name = shorten(clean_text(project), 60)
    if name.isascii():
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    # Encoded words follow each other after a space; the line break that Header would put there is not for us to choose.
    return Header(name, "utf-8").encode(linesep="")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
