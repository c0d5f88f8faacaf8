"""Recoveries of what channels missed."""

from django.contrib import admin

from aegisnotify.admin import ReadOnlyAdmin
from notifications.models import RecoveryJob


@admin.register(RecoveryJob)
class RecoveryJobAdmin(ReadOnlyAdmin):
    list_display = ("id", "workspace", "channel", "since", "status", "done", "total", "sent", "created_at")
    list_select_related = ("workspace", "channel")
    defer_in_list = ("channel__config",)
    list_filter = ("status",)
    search_by_id = ("id", "channel_id")
    search_help_text = "The id of a recovery or channel"
