"""The form of Discord's webhook URLs, and the one form in which they are stored.

The public, test ("ptb") and canary hosts, the old domain and all API versions reach the same webhook.
"""

import re
from urllib.parse import parse_qs, urlsplit

from notifications.channels.urls import refuse

_HOST = re.compile(r"(?:ptb\.|canary\.)?discord(?:app)?\.com")
# /slack and /github are the same webhook, but take those services' payloads.
_PATH = re.compile(r"/api(?:/v\d+)?/webhooks/(?P<id>\d{17,20})/(?P<token>[A-Za-z0-9_-]+)(?:/(?:slack|github))?/?")


def check_url(url: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(url)
    if not _HOST.fullmatch(parts.hostname or ""):
        raise refuse(
            "This is not a Discord webhook URL: it must start with https://discord.com/api/webhooks/. "
            "Copy it in Discord under the channel's settings → Integrations → Webhooks."
        )
    path = _PATH.fullmatch(parts.path)
    if not path:
        raise refuse(
            "A Discord webhook URL has the form https://discord.com/api/webhooks/id/token. "
            "Copy the whole URL in Discord under the channel's settings → Integrations → Webhooks."
        )
    return f"https://discord.com/api/v10/webhooks/{path['id']}/{path['token']}{_thread(parts.query)}", ()


def _thread(query: str) -> str:
    """What is kept of the query: which thread of a forum or media channel to post to."""
    given = parse_qs(query, keep_blank_values=True).get("thread_id")
    if not given:
        return ""
    if len(given) > 1 or not re.fullmatch(r"\d{17,20}", given[0], re.ASCII):
        raise refuse("The thread_id in the URL must be one number of 17 to 20 digits. Copy the thread's id in Discord.")
    return f"?thread_id={given[0]}"
