"""Invitations, as they are stored. The link's token is nowhere, its hash is of no use to anybody."""

from django.contrib import admin

from aegisnotify.admin import ReadOnlyAdmin
from projects.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    exclude = ("digest",)
    list_display = ("email", "workspace", "role", "invited_by", "created_at", "accepted_at", "revoked_at")
    list_select_related = ("workspace", "invited_by")
    list_filter = (("accepted_at", admin.EmptyFieldListFilter),)
    search_fields = ("email", "workspace__slug")
