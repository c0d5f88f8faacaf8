"""Settings of the sandbox's own process: the project's, with other addresses, and without a database or accounts."""

from aegisnotify.settings import *  # noqa: F403
from aegisnotify.settings import TEMPLATES as _TEMPLATES

ROOT_URLCONF = "notifications.sandbox.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "csp", "aegisnotify"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        **_TEMPLATES[0],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "aegisnotify.pages.context.theme",
            ]
        },
    }
]
DATABASES = {}
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
# Browsers keep cookies by host, not by port: under another name this one leaves the app's alone.
CSRF_COOKIE_NAME = "sandbox_csrftoken"
