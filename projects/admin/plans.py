"""Plans: editable rows. A changed limit holds from the next event on, for every workspace on the plan."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from aegisnotify.admin import FastAdmin
from projects.admin.acting import audit_form
from projects.models import Plan


@admin.register(Plan)
class PlanAdmin(FastAdmin):
    ordering: ClassVar[Any] = ("position", "code")
    list_display = (
        "name",
        "code",
        "chat_channels",
        "chat_channels_per_kind",
        "webhooks",
        "per_channel_filters",
        "runs_per_month",
        "scans_per_month",
        "projects",
        "members",
        "history_days",
        "audit_log",
    )
    search_fields = ("code", "name")
    fieldsets = (
        (None, {"fields": ("code", "name", "position")}),
        (
            "Limits",
            {
                "description": "An empty limit is unlimited. A smaller one deletes nothing: channels beyond it are "
                "kept, and not used until there is room again.",
                "fields": (
                    "chat_channels",
                    "chat_channels_per_kind",
                    "webhooks",
                    "projects",
                    "members",
                    "runs_per_month",
                    "scans_per_month",
                    "history_days",
                ),
            },
        ),
        ("Features", {"fields": ("per_channel_filters", "audit_log")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        # Code and API answers name plans by their code.
        return ("code",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit_form(request, form, change)
