"""Reading filters in the shapes of the API, with the version that protects against lost changes."""

from collections.abc import Iterable
from typing import Any

from notifications.models import Override
from notifications.selectors.routing import flags_of, workspace_flags
from projects.models import Project, Workspace


def project_filters(project: Project) -> dict[str, Any]:
    """`{"events": …, "inherits_workspace_flags": …, "channel_filters": …}`; channel filters hold only what differs."""
    return {
        "events": flags_of(project),
        "inherits_workspace_flags": project.inherits_workspace_flags,
        "channel_filters": overrides_by_key(
            Override.objects.filter(channel__project=project).select_related("channel")
        ),
    }


def workspace_filters(workspace: Workspace) -> dict[str, Any]:
    return {"events": workspace_flags(workspace.pk)}


def overrides_by_key(overrides: Iterable[Override]) -> dict[str, dict[str, bool]]:
    """`{channel key: {event: on}}`."""
    result: dict[str, dict[str, bool]] = {}
    for override in overrides:
        result.setdefault(override.channel.key, {})[override.event] = override.enabled
    return result
