"""What is only written by the software itself: the audit log and the usage counters."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from aegisnotify.admin import HistoryAdmin, NewestFilter, ReadOnlyAdmin, pretty_json
from projects.actors import Source
from projects.models import AuditEntry, UsageCounter, User, Workspace


class SourceFilter(NewestFilter):
    what = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(source.value, source.value) for source in Source]


@admin.register(AuditEntry)
class AuditEntryAdmin(HistoryAdmin):
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
    search_help_text = "The actor's whole address, the workspace's slug or the whole id of what was changed"

    def sought(self, rows: QuerySet[AuditEntry], term: str) -> QuerySet[AuditEntry]:
        if "@" in term:
            return rows.filter(actor__in=list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)))
        workspace = Workspace.objects.filter(slug=term.lower()).first()
        if workspace is not None:
            return rows.filter(workspace=workspace).order_by("-at", "-pk")
        # The index of what was changed begins with its type.
        types = sorted({model._meta.model_name or "" for model in apps.get_models()})
        return rows.filter(target_type__in=types, target_id=term.lower())

    @admin.display(description="changes")
    def changed(self, entry: AuditEntry) -> SafeString:
        return pretty_json(entry.changes)


@admin.register(UsageCounter)
class UsageCounterAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "period", "meter", "used")
    list_select_related = ("workspace",)
    list_filter = ("meter",)
    search_fields = ("workspace__slug",)
