"""Addresses of the pages on which people choose or stop mail."""

from django.urls import path

from digests.views import preferences, unsubscribe

_PREFERENCES = "settings/email"

urlpatterns = [
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path(f"{_PREFERENCES}/", preferences.settings_email, name="settings_email"),
    path(f"{_PREFERENCES}/weekly", preferences.weekly, name="settings_email_weekly"),
    path(f"{_PREFERENCES}/weekly/preview", preferences.weekly_preview, name="settings_email_preview"),
    path(f"{_PREFERENCES}/weekly/now", preferences.weekly_now, name="settings_email_now"),
    path(f"{_PREFERENCES}/reminders", preferences.reminders, name="settings_email_reminders"),
    path(f"{_PREFERENCES}/usage", preferences.usage, name="settings_email_usage"),
    path(f"{_PREFERENCES}/workspace", preferences.whole_workspace, name="settings_email_workspace"),
]
