"""What processes without a web server do when they start."""

import ctypes

from django.conf import settings
from django.core.checks import Tags
from django.db import connection
from django.urls import get_resolver

from notifications.delivery.http import load_authorities

# The other checks load the API and the admin site, and are the web server's business.
CHECKS = [Tags.security]
# mallopt(3). Other C libraries have no such choice.
M_ARENA_MAX = -8


def load() -> None:
    """Load what delivering needs. Of the addresses only those that messages link to: the process knows no others then.
    Called once, before there are threads."""
    _keep_one_heap()
    load_authorities()
    settings.ROOT_URLCONF = "aegisnotify.page_urls"
    _ = get_resolver().url_patterns
    # The driver is loaded with the first look at the connection, which does not open it.
    _ = connection.vendor


def _keep_one_heap() -> None:
    """glibc gives threads heaps of their own, so that they needn't wait for each other. Ours wait for the interpreter
    anyway, and the heaps cost the worker 7 MB."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
