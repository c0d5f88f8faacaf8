"""Plans: editable rows. A changed limit holds from the next event on, for every workspace on the plan."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from aegisnotify.admin import ServiceAdmin, ServiceForm
from projects.admin.acting import actor_of
from projects.models import Plan
from projects.services.plans import create_plan, update_plan


class PlanForm(ServiceForm):
    class Meta:
        model = Plan
        fields = "__all__"

    def save_through_service(self) -> Plan:
        actor = actor_of(self.request)
        if self.instance.pk is None:
            return create_plan(actor, self.cleaned_data)
        return update_plan(actor, self.instance, self.changed())


@admin.register(Plan)
class PlanAdmin(ServiceAdmin):
    form = PlanForm
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
                "kept, and not used until there is room again. Only history that becomes too old is hidden at once, "
                "and deleted after a week.",
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
