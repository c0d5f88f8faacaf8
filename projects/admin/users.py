"""People: staff creates them, renames them, switches them off, sets passwords."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from aegisnotify.admin import CappedPaginator, ReadOnlyInline
from projects.admin.acting import actor_of, audit_form
from projects.emails import normalize_email
from projects.models import Membership, User
from projects.services import audit


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name", "time_zone")

    def clean_email(self) -> str:
        return normalize_email(self.cleaned_data["email"])


class WorkspaceInline(ReadOnlyInline):
    model = Membership
    verbose_name_plural = "workspaces"
    fields = ("workspace", "role", "created_at")
    readonly_fields = fields
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user", "workspace")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """The address stays: it is confirmed by its owner, who changes it in the pages. Nobody is deleted: people are
    switched off, so that what they did keeps their name.

    Only a superuser makes others staff or changes another superuser; otherwise the right to rename people would be the
    right to become anybody.
    """

    add_form = UserAddForm
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering = ("email",)
    list_display = ("email", "name", "time_zone", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "time_zone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Account", {"fields": ("email_verified_at", "date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "time_zone", "usable_password", "password1", "password2")}),)
    readonly_fields = ("email", "email_verified_at", "date_joined", "last_login")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[ReadOnlyInline], ...]:
        return () if obj is None else (WorkspaceInline,)

    def get_formsets_with_inlines(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Workspaces are only shown."""
        return () if request.method == "POST" else super().get_formsets_with_inlines(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        audit_form(request, form, change)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        before = User.objects.filter(pk=id).values_list("password", flat=True).first() if id.isdecimal() else None
        response = super().user_change_password(request, id, form_url)
        if before is None or request.method != "POST":
            return response
        user = User.objects.get(pk=id)
        if user.password != before:
            changes = {"password": (audit.MASK, audit.MASK)}
            audit.record(actor_of(request), "user.password_set", user, workspace=None, changes=changes)
        return response
