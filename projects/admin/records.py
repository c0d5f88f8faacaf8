"""What is only written by the software itself: the audit log and the usage counters."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from aegisnotify.admin import ReadOnlyAdmin, pretty_json
from projects.actors import Source
from projects.models import AuditEntry, UsageCounter


class SourceFilter(admin.SimpleListFilter):
    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(source.value, source.value) for source in Source]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(source=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    fields = (
        "at",
        "actor_label",
        "actor",
        "source",
        "address",
        "action",
        "workspace",
        "project_id",
        "target_type",
        "target_id",
        "target_label",
        "changed",
    )
    list_display = ("at", "actor_label", "source", "action", "target_label", "workspace")
    list_select_related = ("workspace",)
    list_filter = (SourceFilter,)
    search_fields = ("actor__email", "workspace__slug", "target_id__exact")
    search_help_text = "The actor's email address, the workspace's slug or the whole id of what was changed"

    @admin.display(description="changes")
    def changed(self, entry: AuditEntry) -> SafeString:
        return pretty_json(entry.changes)


@admin.register(UsageCounter)
class UsageCounterAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "period", "meter", "used")
    list_select_related = ("workspace",)
    list_filter = ("meter",)
    search_fields = ("workspace__slug",)
