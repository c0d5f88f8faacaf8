"""What was sent, skipped and failed, the clocks, and what people chose. Read-only: services and the clocks write it."""

from typing import Any

from django.contrib import admin

from aegisnotify.admin import ReadOnlyAdmin, ReadOnlyInline
from digests.models import (
    ChannelClock,
    DailyTotal,
    Mailing,
    MailingItem,
    NudgeClock,
    NudgeOptOut,
    PersonActivity,
    UsageOptOut,
    UsageThreshold,
    WeeklySubscription,
    WorkspaceOptOut,
)

ITEMS_SHOWN = 100


class MailingItemInline(ReadOnlyInline):
    """What a daily digest carried; the first ones."""

    model = MailingItem
    fields = ("delivery_id", "status")
    readonly_fields = fields
    verbose_name_plural = f"deliveries (the first {ITEMS_SHOWN})"

    def get_queryset(self, request: Any) -> Any:
        match = request.resolver_match
        rows = super().get_queryset(request).select_related("delivery").defer("delivery__body")
        shown = rows.filter(mailing=match.kwargs["object_id"]).order_by("pk").values("pk")[:ITEMS_SHOWN]
        return rows.filter(pk__in=shown)

    @admin.display(description="status")
    def status(self, item: MailingItem) -> str:
        return item.delivery.status


@admin.register(Mailing)
class MailingAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "recipient", "workspace", "state", "reason", "tries", "subject")
    list_select_related = ("workspace",)
    list_filter = ("kind", "state", "reason")
    search_fields = ("recipient__exact", "workspace__slug__exact")
    search_by_id = ("id", "channel_id")
    search_help_text = "A whole address, a workspace's slug, or the id of a mailing or channel"
    ordering = ("-created_at", "-id")
    exclude = ("lease_token",)
    inlines = (MailingItemInline,)


@admin.register(WeeklySubscription)
class WeeklySubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("user", "workspace", "enabled", "weekday", "at", "time_zone", "next_at", "covered_until")
    list_select_related = ("user", "workspace")
    search_fields = ("user__email__exact", "workspace__slug__exact")
    search_help_text = "A whole address or a workspace's slug"


@admin.register(ChannelClock)
class ChannelClockAdmin(ReadOnlyAdmin):
    list_display = ("channel", "at", "time_zone", "next_at", "covered_until")
    list_select_related = ("channel",)
    defer_in_list = ("channel__config",)
    search_by_id = ("channel_id",)
    search_help_text = "The id of a channel"


@admin.register(NudgeClock)
class NudgeClockAdmin(ReadOnlyAdmin):
    list_display = ("user", "quiet_since", "stage", "next_at")
    list_select_related = ("user",)
    search_fields = ("user__email__exact",)
    search_help_text = "A whole address"


@admin.register(UsageThreshold)
class UsageThresholdAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "meter", "period", "threshold", "cap", "by_plan", "reached_at", "told_at")
    list_select_related = ("workspace",)
    list_filter = ("meter",)
    search_fields = ("workspace__slug__exact",)
    search_help_text = "A workspace's slug"


@admin.register(DailyTotal)
class DailyTotalAdmin(ReadOnlyAdmin):
    list_display = ("project", "day", "runs", "failed", "scans", "ai_tests", "last_at")
    list_select_related = ("project",)
    search_by_id = ("project_id",)
    search_help_text = "The id of a project"


@admin.register(WorkspaceOptOut)
class WorkspaceOptOutAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "created_at", "created_by")
    list_select_related = ("workspace", "created_by")
    search_fields = ("workspace__slug__exact",)
    search_help_text = "A workspace's slug"


@admin.register(UsageOptOut)
class UsageOptOutAdmin(ReadOnlyAdmin):
    list_display = ("user", "workspace", "created_at")
    list_select_related = ("user", "workspace")
    search_fields = ("user__email__exact", "workspace__slug__exact")
    search_help_text = "A whole address or a workspace's slug"


@admin.register(NudgeOptOut)
class NudgeOptOutAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email__exact",)
    search_help_text = "A whole address"


@admin.register(PersonActivity)
class PersonActivityAdmin(ReadOnlyAdmin):
    list_display = ("user", "seen_at", "last_project")
    list_select_related = ("user", "last_project")
    search_fields = ("user__email__exact",)
    search_help_text = "A whole address"


@admin.register(MailingItem)
class MailingItemAdmin(ReadOnlyAdmin):
    list_display = ("delivery_id", "mailing")
    list_select_related = ("mailing",)
    search_by_id = ("delivery_id", "mailing_id")
    search_help_text = "The id of a delivery or mailing"
