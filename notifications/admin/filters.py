"""Global flags, overrides and unsaved drafts of them, as they are stored."""

from django.contrib import admin
from django.utils.safestring import SafeString

from aegisnotify.admin import ReadOnlyAdmin, pretty_json
from notifications.admin.choices import EventFilter
from notifications.models import EventFlag, FilterDraft, Override


@admin.register(EventFlag)
class EventFlagAdmin(ReadOnlyAdmin):
    list_display = ("event", "enabled", "workspace", "project", "changed_at", "changed_by")
    list_select_related = ("workspace", "project", "changed_by")
    list_filter = (EventFilter, "enabled")
    search_fields = ("workspace__slug", "project__slug")
    search_by_id = ("project_id",)


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ("event", "enabled", "channel", "changed_at", "changed_by")
    list_select_related = ("channel", "changed_by")
    defer_in_list = ("channel__config",)
    list_filter = (EventFilter, "enabled")
    search_fields = ("channel__key", "channel__project__slug")
    search_by_id = ("channel_id", "channel__project_id")


@admin.register(FilterDraft)
class FilterDraftAdmin(ReadOnlyAdmin):
    fields = ("user", "workspace", "started_at", "updated_at", "changed")
    list_display = ("user", "workspace", "started_at", "updated_at")
    list_select_related = ("user", "workspace")
    defer_in_list = ("changes", "base")
    search_fields = ("user__email", "workspace__slug")

    @admin.display(description="changes")
    def changed(self, draft: FilterDraft) -> SafeString:
        return pretty_json(draft.changes)
