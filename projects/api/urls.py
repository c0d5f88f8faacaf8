"""Addresses of projects and usage, under /api/v1/."""

from aegisnotify.api.routing import endpoint
from projects.api import openapi  # noqa: F401  (registers how the schema describes signing in)
from projects.api.projects import ProjectsView, ProjectView
from projects.api.usage import UsageView

urlpatterns = [
    *endpoint("projects", ProjectsView.as_view(), "api-projects"),
    *endpoint("projects/<slug:slug>", ProjectView.as_view(), "api-project"),
    *endpoint("usage", UsageView.as_view(), "api-usage"),
]
