"""By which it is seen that somebody changed general settings meanwhile."""

from aegisnotify.etags import etag
from projects.models import Project, Workspace

PROJECT_SETTINGS = ("name", "slug", "base_url")
WORKSPACE_SETTINGS = ("name", "time_zone")


def version_of(row: Project | Workspace) -> str:
    """Another after every change of its general settings."""
    names = PROJECT_SETTINGS if isinstance(row, Project) else WORKSPACE_SETTINGS
    return etag({name: getattr(row, name) for name in names})
