"""Workspaces and who belongs to them."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest

from aegisnotify.admin import ReadOnlyAdmin, ReadOnlyInline, ServiceAdmin, ServiceForm
from projects.admin.acting import actor_of
from projects.models import Membership, User, Workspace
from projects.services.workspaces import change_plan, create_workspace


class WorkspaceAddForm(ServiceForm):
    slug = forms.SlugField(max_length=60, required=False, help_text="Made from the name when left empty.")
    owner = forms.ModelChoiceField(
        User.objects.all(), widget=AutocompleteSelect(Membership._meta.get_field("user"), admin.site)
    )

    class Meta:
        model = Workspace
        fields = ("name", "slug", "plan", "time_zone")

    def save_through_service(self) -> Workspace:
        return create_workspace(actor_of(self.request), **self.cleaned_data)


class WorkspaceForm(ServiceForm):
    class Meta:
        model = Workspace
        fields = ("plan",)

    def save_through_service(self) -> Workspace:
        return change_plan(actor_of(self.request), self.instance, self.cleaned_data["plan"])


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    ordering = ("pk",)


@admin.register(Workspace)
class WorkspaceAdmin(ServiceAdmin):
    form = WorkspaceForm
    add_form = WorkspaceAddForm
    add_fields = ("name", "slug", "owner", "plan", "time_zone")
    fields = ("name", "slug", "plan", "time_zone", "created_at")
    readonly_fields = ("name", "slug", "time_zone", "created_at")
    list_display = ("name", "slug", "plan", "time_zone", "created_at")
    list_select_related = ("plan",)
    list_filter = ("plan",)
    search_fields = ("slug", "name")

    def get_inlines(self, request: HttpRequest, obj: Workspace | None) -> tuple[type[ReadOnlyInline], ...]:
        return () if obj is None else (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "workspace", "role", "created_at")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("user__email", "workspace__slug")
