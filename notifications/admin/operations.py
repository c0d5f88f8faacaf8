"""What running it leaves behind: counts for `/metrics` and the overview, and which workers were seen."""

from datetime import datetime

from django.contrib import admin
from django.utils.safestring import SafeString

from aegisnotify.admin import ReadOnlyAdmin, pretty_json
from notifications.models import ChannelHour, DeliveryHour, Tally, WorkerSeen
from notifications.windows import hour_start


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    fields = ("source", "counted", "upto", "upto_at", "counts")
    list_display = ("source", "upto_at")

    @admin.display(description="totals")
    def counts(self, tally: Tally) -> SafeString:
        return pretty_json(tally.totals)


class HourAdmin(ReadOnlyAdmin):
    sortable_by = ()

    @admin.display(description="from")
    def begins(self, row: DeliveryHour | ChannelHour) -> datetime:
        return hour_start(row.hour)


@admin.register(DeliveryHour)
class DeliveryHourAdmin(HourAdmin):
    list_display = ("begins", "workspace", "delivered", "failed", "recount_at")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug__exact",)
    search_help_text = "A workspace's slug"


@admin.register(ChannelHour)
class ChannelHourAdmin(HourAdmin):
    list_display = ("begins", "channel", "delivered", "failed")
    list_select_related = ("channel",)
    search_by_id = ("channel_id",)
    search_help_text = "The id of a channel"


@admin.register(WorkerSeen)
class WorkerSeenAdmin(ReadOnlyAdmin):
    list_display = ("name", "seen_at")
