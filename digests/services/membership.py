"""Changing several of a member's email preferences at once: all of them or none."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from digests.services import preferences
from projects.access import Right, can, refusal
from projects.actors import Actor
from projects.errors import Forbidden
from projects.models import Membership


@transaction.atomic
def change_preferences(
    actor: Actor,
    membership: Membership,
    *,
    weekly: Mapping[str, Any] | None = None,
    reminders: bool | None = None,
    usage_warnings: bool | None = None,
    workspace_unsubscribed: bool | None = None,
) -> None:
    """Change what is given. `weekly` has the arguments of `set_weekly`.

    Raises `Invalid` with the bad fields, `Forbidden` for what only the owner and admins have.
    """
    user, workspace = membership.user, membership.workspace
    manages = can(membership.role, Right.MANAGE)
    if usage_warnings is not None and not manages:
        raise Forbidden("Only the owner and admins of this workspace get usage warnings.")
    if workspace_unsubscribed is not None and not manages:
        raise Forbidden(refusal(Right.MANAGE))
    if weekly:
        preferences.set_weekly(actor, user, workspace, **weekly)
    if reminders is not None:
        preferences.set_nudges(actor, user, reminders, workspace=workspace)
    if usage_warnings is not None:
        preferences.set_usage_warnings(actor, user, workspace, usage_warnings)
    if workspace_unsubscribed is not None:
        preferences.set_workspace_unsubscribed(actor, workspace, workspace_unsubscribed)
