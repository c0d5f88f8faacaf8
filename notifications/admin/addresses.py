"""What we know of email addresses."""

from django.contrib import admin

from aegisnotify.admin import ReadOnlyAdmin
from notifications.models import AddressBounce, AddressConfirmation, OptOut


@admin.register(AddressConfirmation)
class AddressConfirmationAdmin(ReadOnlyAdmin):
    list_display = ("email", "workspace", "confirmed_at", "last_sent_at", "sent_count", "requested_by")
    list_select_related = ("workspace", "requested_by")
    list_filter = (("confirmed_at", admin.EmptyFieldListFilter),)
    search_fields = ("email", "workspace__slug")


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    list_display = ("email", "project", "created_at")
    list_select_related = ("project",)
    search_fields = ("email", "project__slug")
    search_by_id = ("project_id",)


@admin.register(AddressBounce)
class AddressBounceAdmin(ReadOnlyAdmin):
    list_display = ("email", "kind", "at", "detail")
    list_filter = ("kind",)
    search_fields = ("email",)
