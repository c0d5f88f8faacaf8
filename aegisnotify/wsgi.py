"""The WSGI entry point for gunicorn: `gunicorn aegisnotify.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegisnotify.settings")
application = get_wsgi_application()
