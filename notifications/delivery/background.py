"""What processes without a web server do when they start."""

from django.conf import settings
from django.core.checks import Tags
from django.urls import get_resolver

# The other checks load the API and the admin site, and are the web server's business.
CHECKS = [Tags.security]


def load_page_addresses() -> None:
    """Load the addresses that messages link to, and let this process know no others. Called once, before threads."""
    settings.ROOT_URLCONF = "aegisnotify.page_urls"
    _ = get_resolver().url_patterns
