"""What we know of email addresses."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from aegisnotify.admin import ReadOnlyAdmin
from notifications.addresses.services import lift_bounce
from notifications.models import AddressBounce, AddressConfirmation, OptOut
from projects.admin.acting import actor_of


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
    actions = ("write_again",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.delete_addressbounce")

    @admin.action(description="Write to the selected addresses again", permissions=["lift"])
    def write_again(self, request: HttpRequest, queryset: QuerySet[AddressBounce]) -> None:
        for bounce in queryset:
            lift_bounce(actor_of(request), bounce)
        messages.success(request, "Mail goes to these addresses again. The provider may still hold them back.")
