"""What the plans allow, as a table for people: from the rows that the limits themselves are taken from."""

from collections.abc import Callable
from dataclasses import dataclass

from aegisnotify.text import counted
from projects.models import Plan


@dataclass(frozen=True, slots=True)
class Row:
    """A limit in words, and what each plan says of it, in the order of `PlanTable.plans`."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanTable:
    plans: tuple[Plan, ...]
    rows: tuple[Row, ...]


def _number(value: int | None) -> str:
    return "Unlimited" if value is None else f"{value:,}"


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _days(value: int | None) -> str:
    return "As long as you like" if value is None else counted(value, "day")


def _chats(plan: Plan) -> str:
    each = plan.chat_channels_per_kind
    words = _number(plan.chat_channels)
    return f"{words}, {each:,} of each kind" if each and plan.chat_channels != each else words


_LIMITS: tuple[tuple[str, Callable[[Plan], str]], ...] = (
    ("Test runs per month", lambda plan: _number(plan.runs_per_month)),
    ("Scans per month", lambda plan: _number(plan.scans_per_month)),
    ("Projects", lambda plan: _number(plan.projects)),
    ("Members", lambda plan: _number(plan.members)),
    ("Email channels", lambda plan: "Unlimited"),
    ("Slack, Discord and Teams channels, per project", _chats),
    ("Webhooks, per project", lambda plan: _number(plan.webhooks)),
    ("Filters per channel", lambda plan: _yes(plan.per_channel_filters)),
    ("Audit log page", lambda plan: _yes(plan.audit_log)),
    ("Events and deliveries are kept for", lambda plan: _days(plan.history_days)),
)


def plan_table() -> PlanTable:
    """All plans, the smallest first. One query."""
    plans = tuple(Plan.objects.order_by("position", "code"))
    return PlanTable(plans, tuple(Row(label, tuple(say(plan) for plan in plans)) for label, say in _LIMITS))
