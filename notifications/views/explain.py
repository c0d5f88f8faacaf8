"""Asking about an event that never happened: who would be told of it today."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from aegisnotify.pages.forms import PageForm
from notifications import catalog
from notifications.insight.questions import Result, imagine
from notifications.insight.trace import suppose
from notifications.views import told
from notifications.views.project_parts import project_of
from projects.access import Right
from projects.errors import Invalid
from projects.models import Project, Workspace
from projects.pages import WorkspaceRequest, workspace_page

if TYPE_CHECKING:
    from notifications.intake.reports import Report

_FIELDS = ("project", "event", "result")


class QuestionForm(PageForm):
    """What to suppose. Sent by GET, so that a question has an address."""

    project = forms.ChoiceField(label="Project")
    event = forms.ChoiceField(
        label="Event", choices=[(event.name, f"{event.label} ({event.name})") for event in catalog.events()]
    )
    result = forms.ChoiceField(label="Result", choices=[(result.value, result.value.capitalize()) for result in Result])

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="ask_%s", **kwargs)
        field = self.fields["project"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(workspace.projects.order_by("name", "pk").values_list("slug", "name"))

    @classmethod
    def about(cls, workspace: Workspace, project: Project, fired: Sequence[str]) -> Self:
        """The form beside an event, filled with a neighbouring question."""
        failed = catalog.RunFailed.name in fired
        initial = {"project": project.slug, "result": Result.FAILED if failed else Result.PASSED}
        return cls(workspace=workspace, initial={**initial, "event": fired[0] if fired else ""})

    @property
    def report(self) -> "Report | None":
        """The made-up report, None where the answers are missing or contradict each other."""
        if not self.is_valid():
            return None
        try:
            return imagine(
                self.cleaned_data["project"], self.cleaned_data["event"], Result(self.cleaned_data["result"])
            )
        except Invalid as refusal:
            self.refuse(refusal)
            return None


@require_safe
@workspace_page()
def explain(request: WorkspaceRequest) -> HttpResponse:
    """The question, and with `project`, `event` and `result` its answer."""
    asked = any(request.GET.get(name) for name in _FIELDS)
    form = QuestionForm(request.GET if asked else None, workspace=request.workspace)
    return _show(request, form, form.report if asked else None, {}, 200)


@require_POST
@workspace_page(Right.OPERATE)
def explain_fix(request: WorkspaceRequest) -> HttpResponse:
    """Change what would keep a channel from hearing of what was asked about (`project`, `event` and `result`)."""
    form = QuestionForm(request.GET, workspace=request.workspace)
    report = form.report
    if report is None:
        return _show(request, form, None, {}, 400)
    return told.press(
        request,
        project_of(request, report.project),
        report.fired,
        lambda notes, status: _show(request, form, report, notes, status),
        lambda: redirect(told.with_page(request, _address(request, "explain"))),
    )


def _show(
    request: WorkspaceRequest,
    form: QuestionForm,
    report: "Report | None",
    notes: dict[str, dict[str, Any]],
    status: int,
) -> HttpResponse:
    context: dict[str, Any] = {"title": "Who would be told?", "question": form, "report": report}
    if report is not None:
        project = project_of(request, report.project)
        supposed = suppose(project, report.fired, now())
        context |= {
            "project": project,
            "supposed": supposed,
            "counts": supposed.counts,
            **told.rows_context(
                request,
                supposed.rows,
                notes,
                here=_address(request, "explain"),
                fix=_address(request, "explain_fix"),
            ),
        }
    if told.is_part(request) and report is not None:
        return render(request, "partials/told.html", context, status=status)
    return render(request, "pages/explain.html", context, status=status)


def _address(request: WorkspaceRequest, name: str) -> str:
    """With the question, so that what answers it can ask it again."""
    query = {"ws": request.workspace.slug, **{name: request.GET.get(name, "") for name in _FIELDS}}
    return f"{reverse(name)}?{urlencode(query)}"
