"""What running it leaves behind: counts for `/metrics`, and which workers were seen."""

from django.contrib import admin
from django.utils.safestring import SafeString

from aegisnotify.admin import ReadOnlyAdmin, pretty_json
from notifications.models import Tally, WorkerSeen


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    fields = ("source", "counted", "upto", "upto_at", "counts")
    list_display = ("source", "upto_at")

    @admin.display(description="totals")
    def counts(self, tally: Tally) -> SafeString:
        return pretty_json(tally.totals)


@admin.register(WorkerSeen)
class WorkerSeenAdmin(ReadOnlyAdmin):
    list_display = ("name", "seen_at")
