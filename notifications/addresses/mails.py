"""The one mail that an address gets before its owner agreed to any."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notifications.addresses import links
from notifications.channels.email.rendering import render_html, render_text, unlinked
from notifications.messages import clean_text, shorten
from projects.models import Workspace


def confirmation(workspace: Workspace, email: str) -> EmailMultiAlternatives:
    """Asks whether the workspace may write here.

    Anybody can name a workspace and type an address, so the name is short and can't become a link: otherwise this would
    be a way to send strangers a text of one's own.
    """
    name = unlinked(shorten(clean_text(workspace.name), 60), domains=True)
    subject = f"Confirm notifications from {name}"
    values = {
        "subject": subject,
        "preheader": "Nothing is sent before you agree.",
        "workspace": name,
        "email": email,
        "link": links.confirmation_url(workspace.pk, email),
        "days": links.CONFIRMATION_AGE.days,
    }
    message = EmailMultiAlternatives(
        subject,
        render_text("emails/confirm_address.txt", values),
        settings.DEFAULT_FROM_EMAIL,
        [email],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(render_html("emails/confirm_address.html", values), "text/html")
    return message
