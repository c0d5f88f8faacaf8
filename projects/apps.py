from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "People, workspaces and plans"

    def ready(self) -> None:
        # The rights on tables exist once django.contrib.auth was told of its own migrations, which is after ours.
        post_migrate.connect(_tables_are_there, sender=apps.get_app_config("auth"))


def _tables_are_there(**about: Any) -> None:
    from projects.services.staff import let_support_look

    let_support_look()
