"""What happened and what was decided, as it was recorded."""

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from aegisnotify.admin import HistoryAdmin, list_link, page_link, pretty_json
from notifications.admin.choices import CreatedFilter, NewestOccurrenceKindFilter
from notifications.admin.seeking import as_uuid, events_named, of_owner
from notifications.models import Delivery, Occurrence


@admin.register(Occurrence)
class OccurrenceAdmin(HistoryAdmin):
    found_by_workspace = True
    fields = (
        "id",
        "workspace",
        "project",
        "kind",
        "source_id",
        "fired",
        "occurred_at",
        "received_at",
        "of_deliveries",
        "reported",
        "decided",
    )
    list_display = ("id", "kind", "source_id", "fired", "project", "workspace", "received_at")
    list_select_related = ("project", "workspace")
    defer_in_list = ("facts", "decisions")
    select_in_page = ("project", "workspace")
    list_filter = (CreatedFilter, NewestOccurrenceKindFilter)
    search_help_text = "The id of an event or project, the whole id of a run, scan or generation, or a workspace's slug"

    def sought(self, rows: QuerySet[Occurrence], term: str) -> QuerySet[Occurrence]:
        owned = of_owner(rows, term, ("-received_at", "-pk"), channels=False)
        if owned is not None:
            return owned
        sought = as_uuid(term)
        return rows.filter(pk__in=[*events_named(term), *([sought] if sought else [])])

    def view_on_site(self, occurrence: Occurrence) -> str:
        return page_link("event_why", occurrence.pk, workspace=occurrence.workspace.slug)

    @admin.display(description="deliveries")
    def of_deliveries(self, occurrence: Occurrence) -> SafeString:
        return list_link(Delivery, "Its deliveries", q=occurrence.pk)

    @admin.display(description="facts")
    def reported(self, occurrence: Occurrence) -> SafeString:
        return pretty_json(occurrence.facts)

    @admin.display(description="decisions")
    def decided(self, occurrence: Occurrence) -> SafeString:
        return pretty_json(occurrence.decisions)
