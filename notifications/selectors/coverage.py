"""The coverage check over what is stored."""

from collections.abc import Mapping
from datetime import datetime

from notifications.insight.coverage import Subject, Warning, check
from notifications.models import Channel
from notifications.routing import Settings
from notifications.selectors.matrix import Matrix
from notifications.selectors.routing import routing_settings
from projects.models import Project


def warnings_of(matrix: Matrix, settings: Mapping[str, Settings] | None = None) -> tuple[Warning, ...]:
    """The warnings of all projects, with other `settings` (by project id) in the place of the saved ones."""
    return check(
        [
            Subject(
                str(item.project.pk),
                item.project.name,
                item.project.inherits_workspace_flags,
                settings[str(item.project.pk)] if settings is not None else item.settings,
                {str(checkup.channel.pk): checkup.channel.target_fingerprint for checkup in item.checkups},
            )
            for item in matrix.projects
        ]
    )


def warnings_of_project(project: Project, moment: datetime) -> tuple[Warning, ...]:
    """The warnings of one project (with its workspace and plan loaded), which name no other."""
    targets = Channel.objects.filter(project=project).values_list("pk", "target_fingerprint")
    return check(
        [
            Subject(
                str(project.pk),
                project.name,
                project.inherits_workspace_flags,
                routing_settings(project, moment),
                {str(pk): fingerprint for pk, fingerprint in targets},
            )
        ]
    )
