"""The page of one event: who was told, who was not, and why."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from aegisnotify.clock import now
from notifications import catalog
from notifications.insight.trace import trace
from notifications.models import Occurrence
from notifications.selectors.history import shown_occurrences
from projects.pages import WorkspaceRequest, workspace_page

FAILURES_SHOWN = 3


def _workspace_of(event_id: uuid.UUID) -> int | None:
    return Occurrence.objects.filter(pk=event_id).values_list("workspace", flat=True).first()


@require_GET
@workspace_page(of=_workspace_of)
def event_why(request: WorkspaceRequest, event_id: uuid.UUID) -> HttpResponse:
    """Who was told?"""
    occurrence = (
        shown_occurrences(request.workspace).filter(pk=event_id).select_related("project__workspace__plan").first()
    )
    if occurrence is None:
        raise Http404
    told = trace(occurrence, now())
    return render(
        request,
        "pages/event_why.html",
        {
            "title": "Who was told?",
            "occurrence": occurrence,
            "trace": told,
            "message": told.message,
            "fired": [catalog.find(name) for name in occurrence.fired_events],
            "failures": told.message.failures[:FAILURES_SHOWN],
            "more_failures": max(told.message.failure_count - FAILURES_SHOWN, 0),
        },
    )


@require_GET
def event(request: HttpRequest, event_id: uuid.UUID) -> HttpResponse:
    """An event's own address: its one page so far is the trace."""
    query = request.GET.urlencode()
    return redirect(reverse("event_why", args=[event_id]) + (f"?{query}" if query else ""))
