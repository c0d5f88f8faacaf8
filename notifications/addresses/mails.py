"""The one mail that an address gets before its owner agreed to any."""

from django.core.mail import EmailMultiAlternatives

from aegisnotify.mail import compose
from aegisnotify.text import clean_text, shorten, unlinked
from notifications.addresses import links
from projects.models import Workspace


def confirmation(workspace: Workspace, email: str) -> EmailMultiAlternatives:
    """Asks whether the workspace may write here.

    Anybody can name a workspace and type an address, so the name is short and can't become a link: otherwise this would
    be a way to send strangers a text of one's own.
    """
    name = unlinked(shorten(clean_text(workspace.name), 60), domains=True)
    values = {
        "preheader": "Nothing is sent before you agree.",
        "workspace": name,
        "email": email,
        "link": links.confirmation_url(workspace.pk, email),
        "days": links.CONFIRMATION_AGE.days,
    }
    return compose("confirm_address", email, f"Confirm notifications from {name}", values)
