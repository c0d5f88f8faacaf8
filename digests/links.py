"""Signed links that go out in digests, nudges and warnings, and the headers that offer them to mail programs."""

from django.conf import settings
from django.urls import reverse

from aegisnotify import signed_links
from notifications.addresses.links import EVENT_MAIL

# The scopes of the tokens; changing one breaks every link that was sent.
WEEKLY = "weekly-digest"
NUDGES = "nudges"
USAGE = "usage-warnings"
WORKSPACE = "workspace-mail"
SCOPES = (WEEKLY, NUDGES, USAGE, WORKSPACE, EVENT_MAIL)


def weekly_unsubscribe_url(user_id: int, workspace_id: int) -> str:
    """Stops a person's weekly digest of a workspace. Claims: `user`, `workspace` (ids)."""
    return _unsubscribe(signed_links.make(WEEKLY, user=user_id, workspace=workspace_id))


def nudges_unsubscribe_url(user_id: int) -> str:
    """Stops all nudges to a person. Claims: `user` (id)."""
    return _unsubscribe(signed_links.make(NUDGES, user=user_id))


def usage_unsubscribe_url(user_id: int, workspace_id: int) -> str:
    """Stops usage warnings of a workspace to a person. Claims: `user`, `workspace` (ids)."""
    return _unsubscribe(signed_links.make(USAGE, user=user_id, workspace=workspace_id))


def workspace_unsubscribe_url(user_id: int, workspace_id: int) -> str:
    """Stops nudges and weekly digests of a workspace to all its members. Claims: `user`, `workspace` (ids).

    Only for mail to its owner and admins; it works while they are that.
    """
    return _unsubscribe(signed_links.make(WORKSPACE, user=user_id, workspace=workspace_id))


def unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058: mail programs show a button, and post to the link when it is pressed."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _unsubscribe(token: str) -> str:
    return f"{settings.AEGIS_BASE_URL}{reverse('unsubscribe', args=[token])}"
