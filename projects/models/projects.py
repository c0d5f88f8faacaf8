"""A project is one tested website."""

from django.db import models

from aegisnotify.ids import uuid7
from projects.models.workspaces import Workspace


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)
    base_url = models.URLField(max_length=500, blank=True)
    inherits_workspace_flags = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="project_slug_unique_in_workspace")]

    def __str__(self) -> str:
        return self.name
