"""Usage & plan: how much of the month is used, what the plan allows, and what it does not carry."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from notifications.selectors.plan import beyond_plan
from projects.pages import WorkspaceRequest, workspace_page
from projects.plan_table import plan_table
from projects.usage import period_of, resets_on


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
