"""The WSGI entry point for gunicorn: `gunicorn aegisnotify.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegisnotify.settings")
application = get_wsgi_application()

# All views are loaded now, not with the first request, and stay for good, so that looking for garbage need not go
# through them: that was a pause of 70 ms in the middle of some page, of a large one in every tenth.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
