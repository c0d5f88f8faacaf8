"""What happened and what was decided, as it was recorded."""

from django.contrib import admin
from django.utils.safestring import SafeString

from aegisnotify.admin import ReadOnlyAdmin, pretty_json
from notifications.models import Occurrence


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin):
    fields = (
        "id",
        "workspace",
        "project",
        "kind",
        "source_id",
        "fired",
        "occurred_at",
        "received_at",
        "reported",
        "decided",
    )
    list_display = ("id", "kind", "source_id", "fired", "project", "workspace", "received_at")
    list_select_related = ("project", "workspace")
    defer_in_list = ("facts", "decisions")
    list_filter = ("kind",)
    search_fields = ("source_id__exact",)
    search_by_id = ("id", "project_id")
    search_help_text = "The id of an event or project, or the whole id of a run, scan or generation"

    @admin.display(description="facts")
    def reported(self, occurrence: Occurrence) -> SafeString:
        return pretty_json(occurrence.facts)

    @admin.display(description="decisions")
    def decided(self, occurrence: Occurrence) -> SafeString:
        return pretty_json(occurrence.decisions)
