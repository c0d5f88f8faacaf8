"""The page of one event: who was told, who was not, and why."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from notifications import catalog
from notifications.insight.trace import trace
from notifications.models import Occurrence
from notifications.selectors.history import shown_occurrences
from notifications.views import told
from notifications.views.explain import QuestionForm
from notifications.views.project_parts import address
from projects.access import Right
from projects.pages import WorkspaceRequest, workspace_page

FAILURES_SHOWN = 3
NEWCOMERS_SHOWN = 20


def _workspace_of(event_id: uuid.UUID) -> int | None:
    return Occurrence.objects.filter(pk=event_id).values_list("workspace", flat=True).first()


@require_safe
@workspace_page(of=_workspace_of)
def event_why(request: WorkspaceRequest, event_id: uuid.UUID) -> HttpResponse:
    """Who was told?"""
    return _show(request, _find(request, event_id), {}, 200)


@require_POST
@workspace_page(Right.OPERATE, of=_workspace_of)
def event_fix(request: WorkspaceRequest, event_id: uuid.UUID) -> HttpResponse:
    """Change what would keep a channel from hearing of such an event today."""
    occurrence = _find(request, event_id)
    return told.press(
        request,
        occurrence.project,
        occurrence.fired_events,
        lambda notes, status: _show(request, occurrence, notes, status),
        lambda: redirect(told.with_page(request, address(request, "event_why", event_id))),
    )


@require_safe
def event(request: HttpRequest, event_id: uuid.UUID) -> HttpResponse:
    """An event's own address: its one page so far is the trace."""
    query = request.GET.urlencode()
    return redirect(reverse("event_why", args=[event_id]) + (f"?{query}" if query else ""))


def _find(request: WorkspaceRequest, event_id: uuid.UUID) -> Occurrence:
    occurrence = (
        shown_occurrences(request.workspace).filter(pk=event_id).select_related("project__workspace__plan").first()
    )
    if occurrence is None:
        raise Http404
    return occurrence


def _show(
    request: WorkspaceRequest, occurrence: Occurrence, notes: dict[str, dict[str, Any]], status: int
) -> HttpResponse:
    found = trace(occurrence, now())
    fired = occurrence.fired_events
    context: dict[str, Any] = {
        "title": "Who was told?",
        "occurrence": occurrence,
        "project": occurrence.project,
        "counts": found.counts,
        "newcomers": [told.shown(request, newcomer, notes) for newcomer in found.newcomers[:NEWCOMERS_SHOWN]],
        "more_newcomers": max(len(found.newcomers) - NEWCOMERS_SHOWN, 0),
        **told.rows_context(
            request,
            found.rows,
            notes,
            here=address(request, "event_why", occurrence.pk),
            fix=address(request, "event_fix", occurrence.pk),
        ),
    }
    if told.is_part(request):
        return render(request, "partials/told.html", context, status=status)
    return render(
        request,
        "pages/event_why.html",
        context
        | {
            "message": found.message,
            "fired": [catalog.find(name) for name in fired],
            "failures": found.message.failures[:FAILURES_SHOWN],
            "more_failures": max(found.message.failure_count - FAILURES_SHOWN, 0),
            "question": QuestionForm.about(request.workspace, occurrence.project, fired),
        },
        status=status,
    )
