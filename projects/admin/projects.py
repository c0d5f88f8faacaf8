"""Projects, within the plan of their workspace."""

from django import forms
from django.contrib import admin

from aegisnotify.admin import ServiceAdmin, ServiceForm, page_link
from projects.admin.acting import actor_of
from projects.models import Project
from projects.services.projects import create_project, update_project


class BaseProjectForm(ServiceForm):
    base_url = forms.URLField(max_length=500, required=False, assume_scheme="https")


class ProjectAddForm(BaseProjectForm):
    slug = forms.SlugField(max_length=60, required=False, help_text="Made from the name when left empty.")

    class Meta:
        model = Project
        fields = ("workspace", "name", "slug", "base_url")

    def save_through_service(self) -> Project:
        return create_project(actor_of(self.request), **self.cleaned_data)


class ProjectForm(BaseProjectForm):
    class Meta:
        model = Project
        fields = ("name", "slug", "base_url")

    def save_through_service(self) -> Project:
        return update_project(actor_of(self.request), self.instance, self.changed())


@admin.register(Project)
class ProjectAdmin(ServiceAdmin):
    form = ProjectForm
    add_form = ProjectAddForm
    add_fields = ("workspace", "name", "slug", "base_url")
    fields = ("id", "workspace", "name", "slug", "base_url", "inherits_workspace_flags", "created_at")
    readonly_fields = ("id", "workspace", "inherits_workspace_flags", "created_at")
    autocomplete_fields = ("workspace",)
    list_display = ("name", "slug", "workspace", "created_at")
    list_select_related = ("workspace",)
    select_in_page = ("workspace",)
    search_fields = ("slug", "name", "workspace__slug")
    search_by_id = ("id",)

    def view_on_site(self, project: Project) -> str:
        return page_link("project_activity", project.slug, workspace=project.workspace.slug)
