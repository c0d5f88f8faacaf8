"""Signed links that go out in mail."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from aegisnotify import signed_links
from projects.emails import normalize_email

# The scopes of the tokens; changing one breaks every link that was sent.
EVENT_MAIL = "event-mail"
CONFIRM_ADDRESS = "confirm-address"
CONFIRMATION_AGE = timedelta(days=7)


def unsubscribe_url(project_id: UUID | str, email: str) -> str:
    """Stops a project's event mail to an address. Works for years: people unsubscribe from old mail."""
    token = signed_links.make(EVENT_MAIL, project=str(project_id), email=normalize_email(email))
    return _absolute("unsubscribe", token)


def confirmation_url(workspace_id: int, email: str) -> str:
    """Shows an address's owner who wants to write there, for `CONFIRMATION_AGE`."""
    token = signed_links.make(CONFIRM_ADDRESS, workspace=workspace_id, email=normalize_email(email))
    return _absolute("confirm_address", token)


def _absolute(view: str, token: str) -> str:
    return f"{settings.AEGIS_BASE_URL}{reverse(view, args=[token])}"
