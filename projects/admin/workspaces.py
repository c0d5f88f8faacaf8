"""Workspaces and who belongs to them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from aegisnotify.admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    ServiceAdmin,
    ServiceForm,
    list_link,
    page_link,
)
from aegisnotify.clock import now
from projects import audit_log
from projects.admin.acting import actor_of
from projects.models import ApiToken, AuditEntry, Membership, Plan, Project, User, Workspace
from projects.plan_change import plan_change
from projects.selectors import usage_of
from projects.services.workspaces import change_plan, create_workspace, update_workspace
from projects.views.audit_log import csv_of


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
        fields = ("name", "time_zone")

    def save_through_service(self) -> Workspace:
        return update_workspace(actor_of(self.request), self.instance, self.changed())


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user", "workspace")


@admin.register(Workspace)
class WorkspaceAdmin(ServiceAdmin):
    form = WorkspaceForm
    add_form = WorkspaceAddForm
    add_fields = ("name", "slug", "owner", "plan", "time_zone")
    fields = ("name", "time_zone", "slug", "plan", "usage", "lists", "created_at", "sweep_at", "closed_at")
    readonly_fields = ("slug", "plan", "usage", "lists", "created_at", "sweep_at", "closed_at")
    list_display = ("name", "slug", "plan", "time_zone", "created_at")
    list_select_related = ("plan",)
    select_in_page = ("plan",)
    list_filter = ("plan", ("closed_at", admin.EmptyFieldListFilter))
    search_fields = ("slug", "name", "memberships__user__email__exact")
    search_help_text = "A part of the slug or name, or the whole address of a member"

    def get_inlines(self, request: HttpRequest, obj: Workspace | None) -> tuple[type[ReadOnlyInline], ...]:
        return () if obj is None else (MembershipInline,)

    def view_on_site(self, workspace: Workspace) -> str:
        return page_link("overview", workspace=workspace.slug)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/plan/", view(self.plan_page), name="projects_workspace_plan"),
            path("<int:pk>/audit.csv", view(self.audit_csv), name="projects_workspace_audit"),
            *super().get_urls(),
        ]

    @admin.display(description="usage this month")
    def usage(self, workspace: Workspace) -> SafeString:
        lines = [
            (
                f"{each['used']:,} {meter.value}",
                "" if each["cap"] is None else f" of {each['cap']:,} ({each['percent']} %)",
            )
            for meter, each in usage_of(workspace, now()).items()
        ]
        return format_html_join("", "<div>{}{}</div>", lines)

    @admin.display(description="what belongs to it")
    def lists(self, workspace: Workspace) -> SafeString:
        slug = workspace.slug
        links = [
            list_link(Project, "Projects", q=slug),
            *(list_link(model, words, q=slug) for model, words in _beside()),
            list_link(ApiToken, "API tokens", q=slug),
            list_link(AuditEntry, "Audit log", q=slug),
        ]
        return format_html_join(" · ", "{}", ((link,) for link in links))

    def plan_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What another plan would change, and the button that changes it."""
        workspace = Workspace.objects.select_related("plan").filter(pk=pk).first()
        if workspace is None:
            raise Http404
        if not self.has_change_permission(request, workspace):
            raise PermissionDenied
        plans = list(Plan.objects.exclude(pk=workspace.plan_id))
        wanted = (request.POST if request.method == "POST" else request.GET).get("plan", "")
        plan = next((each for each in plans if each.code == wanted), None)
        if request.method == "POST" and plan is not None:
            if request.POST.get("from") == workspace.plan.code:
                change_plan(actor_of(request), workspace, plan)
                self.message_user(request, f"{workspace} is on {plan} now.", messages.SUCCESS)
                return redirect(reverse("admin:projects_workspace_change", args=[workspace.pk]))
            self.message_user(request, "The plan was changed meanwhile. This is what changes now.", messages.WARNING)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Change plan",
            "workspace": workspace,
            "plans": plans,
            "change": plan_change(workspace, plan, now()) if plan else None,
        }
        return TemplateResponse(request, "admin/change_plan.html", context)

    def audit_csv(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The whole log, whatever the plan shows its owner."""
        if not request.user.has_perm("projects.view_auditentry"):
            raise PermissionDenied
        workspace = Workspace.objects.filter(pk=pk).first()
        if workspace is None:
            raise Http404
        return csv_of(workspace, audit_log.all_entries(workspace))


def _beside() -> list[tuple[Any, str]]:
    """The lists of higher rooms that a workspace's slug finds something in."""
    return [
        (model, str(model._meta.verbose_name_plural).capitalize())
        for model, model_admin in admin.site._registry.items()
        if getattr(model_admin, "found_by_workspace", False)
    ]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "workspace", "role", "created_at")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("user__email", "workspace__slug")
