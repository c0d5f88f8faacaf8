"""What processes without a web server do when they start."""

from django.conf import settings
from django.core.checks import Tags
from django.urls import get_resolver

from notifications.delivery.http import load_authorities

# The other checks load the API and the admin site, and are the web server's business.
CHECKS = [Tags.security]


def load() -> None:
    """Load what delivering needs. Of the addresses only those that messages link to: the process knows no others then.
    Called once, before there are threads."""
    load_authorities()
    settings.ROOT_URLCONF = "aegisnotify.page_urls"
    _ = get_resolver().url_patterns
