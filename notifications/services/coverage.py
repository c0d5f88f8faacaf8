"""Closing a gap in who hears of what: the change that a warning offers, through the services that own the setting."""

from django.db import transaction

from aegisnotify.clock import now
from notifications.insight.coverage import Action, Fix, Warning
from notifications.models import Channel
from notifications.selectors.coverage import warnings_of
from notifications.selectors.matrix import load_matrix
from notifications.services.channels import update_channel
from notifications.services.drafts import follow_own_change
from notifications.services.filters import change_project_filters, change_workspace_filters
from notifications.services.pausing import resume_channel
from projects.access import Right
from projects.actors import Actor
from projects.models import Project, User, Workspace


def right_of(fix: Fix) -> Right:
    """What the change needs: resuming is part of daily work, the rest are settings."""
    return Right.OPERATE if fix.action is Action.RESUME else Right.CONFIGURE


def find_warning(workspace: Workspace, warning_id: str) -> Warning | None:
    """The warning with this id, None when what it says is no longer so."""
    matrix = load_matrix(workspace, now())
    return next((warning for warning in warnings_of(matrix) if warning.id == warning_id), None)


@transaction.atomic
def apply_fix(actor: Actor, user: User, workspace: Workspace, fix: Fix) -> None:
    """Make the change. Raises `PlanLimit` where the plan has no room for it.

    The person's own draft goes on from it.
    """
    before = load_matrix(workspace, now())
    _apply(actor, workspace, fix)
    follow_own_change(user, before, load_matrix(workspace, now()))


def _apply(actor: Actor, workspace: Workspace, fix: Fix) -> None:
    if fix.action is Action.SET_FLAG:
        new = {"events": {fix.event: fix.value}}
        if fix.project_id:
            change_project_filters(actor, Project.objects.get(workspace=workspace, pk=fix.project_id), new)
        else:
            change_workspace_filters(actor, workspace, new)
        return
    channel = Channel.objects.select_related("project").get(project__workspace=workspace, pk=fix.channel_id)
    if fix.action is Action.SET_OVERRIDE:
        change_project_filters(actor, channel.project, {"channel_filters": {channel.key: {fix.event: fix.value}}})
    elif fix.action is Action.RESUME:
        resume_channel(actor, channel)
    else:
        update_channel(actor, channel, enabled=fix.action is Action.ENABLE)
