"""The coverage check over what is stored."""

from collections.abc import Mapping

from notifications.insight.coverage import Subject, Warning, check
from notifications.routing import Settings
from notifications.selectors.matrix import Matrix


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
