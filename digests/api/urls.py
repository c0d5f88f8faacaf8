"""Addresses of email preferences, under /api/v1/."""

from aegisnotify.api.routing import endpoint
from digests.api.preferences import EmailPreferencesView

urlpatterns = [*endpoint("email-preferences", EmailPreferencesView.as_view(), "api-email-preferences")]
