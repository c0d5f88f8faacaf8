"""API tokens: seen and revoked here, made in the pages, where their text is shown to the one who needs it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from aegisnotify.admin import ReadOnlyAdmin
from projects.admin.acting import actor_of
from projects.models import ApiToken
from projects.services.tokens import revoke_token


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    fields = (
        "name",
        "hint",
        "workspace",
        "project",
        "scopes",
        "created_by",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    list_display = ("name", "hint", "workspace", "project", "last_used_at", "revoked_at")
    list_select_related = ("workspace", "project")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("hint", "name", "workspace__slug")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("projects.change_apitoken")

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        valid = tokens.filter(revoked_at=None).select_related("workspace", "project")
        count = 0
        for token in valid:
            revoke_token(actor_of(request), token)
            count += 1
        self.message_user(request, f"Revoked: {count}. They open nothing from now on.", messages.SUCCESS)
