"""The audit log: who changed what, old → new, from where."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from projects import audit_log, entitlements
from projects.access import Right
from projects.audit_log import Filters
from projects.errors import PlanLimit
from projects.models import AuditEntry, Workspace
from projects.pages import WorkspaceRequest, workspace_page
from projects.selectors import limits_of


@require_safe
@workspace_page(Right.MANAGE)
def audit_page(request: WorkspaceRequest) -> HttpResponse:
    """Below Pro it is refused (402), says why, and shows nothing of the log."""
    exceeded = entitlements.audit_log_allowed(limits_of(request.workspace.plan))
    if exceeded:
        context = {"title": "Audit log", "sentence": exceeded.sentence}
        return render(request, "pages/audit_log_locked.html", context, status=402)
    workspace, filters = request.workspace, Filters.read(request.GET)
    number = _number(request.GET.get("page", ""))
    rows, older = audit_log.page_of(audit_log.entries(workspace, filters, request.user.zone), number)
    names = audit_log.project_names(workspace, {row.project_id for row in rows if row.project_id})
    parameters: dict[str, str | int] = {"ws": workspace.slug, **filters.parameters}
    partial = request.headers.get("HX-Target") == "audit-rows"
    return render(
        request,
        "partials/audit_rows.html" if partial else "pages/audit_log.html",
        {
            "title": "Audit log",
            "filters": filters,
            "choices": None if partial else audit_log.choices(workspace, filters),
            "projects": workspace.projects.order_by("name").values_list("slug", "name")[:200],
            "rows": [
                (row, audit_log.changes_of(row), names.get(row.project_id) if row.project_id else None) for row in rows
            ],
            "number": number,
            "query": urlencode(parameters),
            "newer": urlencode({**parameters, "page": number - 1}) if number > 1 else "",
            "older": urlencode({**parameters, "page": number + 1}) if older else "",
            "last_page": audit_log.LAST_PAGE,
        },
    )


@require_safe
@workspace_page(Right.MANAGE)
def audit_csv(request: WorkspaceRequest) -> HttpResponseBase:
    """All entries that the filters let through."""
    exceeded = entitlements.audit_log_allowed(limits_of(request.workspace.plan))
    if exceeded:
        raise PlanLimit(exceeded)
    return csv_of(request.workspace, audit_log.entries(request.workspace, Filters.read(request.GET), request.user.zone))


def csv_of(workspace: Workspace, found: QuerySet[AuditEntry]) -> StreamingHttpResponse:
    """Row by row as they are read: a log has no end."""
    names = dict(workspace.projects.values_list("pk", "name"))
    writer = csv.writer(_Echo())
    lines: Iterator[str] = (writer.writerow(row) for row in audit_log.spreadsheet(found, names))
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="audit-{workspace.slug}-{now():%Y-%m-%d}.csv"',
        },
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _number(text: str) -> int:
    return min(int(text), audit_log.LAST_PAGE) if text.isascii() and text.isdigit() and int(text[:6]) else 1
