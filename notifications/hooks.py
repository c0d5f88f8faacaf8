"""What notifications adds to what lower rooms do."""

from notifications.services.channels import create_channel
from projects.actors import Actor
from projects.models import Project
from projects.services.projects import on_project_created


@on_project_created
def add_first_email_channel(actor: Actor, project: Project) -> None:
    """Every new project tells its workspace's owner by email: it works before anybody configured anything."""
    create_channel(actor, project, kind="email", name="Email")
