"""Plans as staff edit them. A changed limit holds from the next event on, for every workspace on the plan."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from aegisnotify.clock import now
from projects.actors import Actor
from projects.entitlements import is_shorter
from projects.models import Plan, Workspace
from projects.services import audit
from projects.services.workspaces import HISTORY_GRACE


@transaction.atomic
def create_plan(actor: Actor, values: Mapping[str, Any]) -> Plan:
    plan = Plan(**values)
    plan.full_clean()
    plan.save()
    given = {name: (None, value) for name, value in values.items() if value not in (None, "", False)}
    audit.record(actor, "plan.created", plan, workspace=None, changes=given)
    return plan


@transaction.atomic
def update_plan(actor: Actor, plan: Plan, new: Mapping[str, Any]) -> Plan:
    """Where history gets shorter, it is hidden at once and deleted a week later, as after a change of plans."""
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    changes = audit.differences(plan, new, new)
    if not changes:
        return plan
    for field, (_old, value) in changes.items():
        setattr(plan, field, value)
    plan.full_clean()
    plan.save(update_fields=list(changes))
    if "history_days" in changes and is_shorter(plan.history_days, changes["history_days"][0]):
        Workspace.objects.filter(plan=plan).update(sweep_at=now() + HISTORY_GRACE)
    audit.record(actor, "plan.updated", plan, workspace=None, changes=changes)
    return plan
