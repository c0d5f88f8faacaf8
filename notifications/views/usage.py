"""Usage & plan: how much of the month is used, what the plan allows, and what it does not carry."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from notifications.selectors.plan import beyond_plan
from projects.pages import WorkspaceRequest, usage, workspace_page
from projects.plan_table import plan_table
from projects.usage import Meter, at_months_end, cap_reached_on, period_of, reached, resets_on

_LABELS = {Meter.RUNS: "test runs", Meter.SCANS: "scans"}


@dataclass(frozen=True, slots=True)
class Gauge:
    """A meter of the month with what to expect of it."""

    name: str
    label: str
    usage: dict[str, int | None]
    threshold: int | None
    cap_on: date | None
    month: int | None
    """What the whole month will have used at this pace."""


def gauges(request: WorkspaceRequest) -> list[Gauge]:
    """The meters of the request's workspace; no query beyond the sidebar's."""
    moment = now()
    made = []
    for meter, measured in usage(request).items():
        used, cap = measured["used"] or 0, measured["cap"]
        made.append(
            Gauge(
                meter.value,
                _LABELS[meter],
                measured,
                reached(used, cap),
                cap_reached_on(used, cap, moment),
                at_months_end(used, moment),
            )
        )
    return made


@require_safe
@workspace_page()
def usage_page(request: WorkspaceRequest) -> HttpResponse:
    moment = now()
    plan, table = request.workspace.plan, plan_table()
    return render(
        request,
        "pages/usage.html",
        {
            "title": "Usage & plan",
            "gauges": gauges(request),
            "month": period_of(moment),
            "resets_on": resets_on(moment),
            "table": table,
            "own": next((place for place, other in enumerate(table.plans) if other.pk == plan.pk), None),
            "beyond": beyond_plan(request.workspace),
            "places": [
                ("Projects", request.workspace.projects.count(), plan.projects),
                ("Members", request.workspace.memberships.count(), plan.members),
            ],
        },
    )
