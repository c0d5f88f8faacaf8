"""The WSGI entry point of the sandbox: `gunicorn notifications.sandbox.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "notifications.sandbox.settings"
application = get_wsgi_application()
