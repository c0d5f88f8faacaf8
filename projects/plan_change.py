"""What another plan would change, shown before it does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from projects import hooks
from projects.entitlements import is_shorter
from projects.hooks import Effect
from projects.models import Plan, Workspace
from projects.selectors import cap_of, limits_of, usage_of
from projects.usage import Meter


@dataclass(frozen=True, slots=True)
class PlanChange:
    """`suspended` and the like come first: what gets less."""

    plan: Plan
    effects: tuple[Effect, ...]

    @property
    def losses(self) -> int:
        return sum(effect.worse for effect in self.effects)


def plan_change(workspace: Workspace, plan: Plan, moment: datetime) -> PlanChange:
    """`workspace` with its plan loaded. Changes nothing."""
    effects = [
        *hooks.effects_of_plan(workspace, plan),
        *_of_places(workspace, plan),
        *_of_plan(workspace, plan, moment),
    ]
    return PlanChange(plan, tuple(sorted(effects, key=lambda effect: not effect.worse)))


def _of_places(workspace: Workspace, plan: Plan) -> Iterable[Effect]:
    for name, count, before, then in (
        ("Projects", workspace.projects.count(), workspace.plan.projects, plan.projects),
        ("Members", workspace.memberships.count(), workspace.plan.members, plan.members),
    ):
        if before != then:
            full = then is not None and count >= then
            words = f"{count} of {_number(then)}"
            if full:
                words += ": all keep working, none can be added" if count > (then or 0) else ": none can be added"
            yield Effect("Workspace", name, f"{count} of {_number(before)}", words, full)


def _of_plan(workspace: Workspace, plan: Plan, moment: datetime) -> Iterable[Effect]:
    old, new = limits_of(workspace.plan), limits_of(plan)
    if old.history_days != new.history_days:
        shorter = is_shorter(new.history_days, old.history_days)
        then = _days(new.history_days)
        if shorter:
            then += ": older events and deliveries are hidden at once and deleted after a week"
        yield Effect("Workspace", "History", _days(old.history_days), then, shorter)
    if old.audit_log != new.audit_log:
        words = ("page and export", "written, but not shown")
        yield Effect("Workspace", "Audit log", words[not old.audit_log], words[not new.audit_log], old.audit_log)
    usage = usage_of(workspace, moment)
    for meter in Meter:
        before, cap, used = cap_of(workspace.plan, meter), cap_of(plan, meter), usage[meter]["used"] or 0
        if before != cap:
            over = cap is not None and used >= cap
            told = f"{used:,} of {_number(cap)} this month" + (": above, and only warned of" if over else "")
            yield Effect("Workspace", meter.value.capitalize(), f"{used:,} of {_number(before)}", told, over)


def _number(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def _days(days: int | None) -> str:
    return "all of it" if days is None else f"{days:,} days"
