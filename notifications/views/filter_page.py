"""What the Notifications page needs: the filters with the draft on them, gaps, and what-if. Thin views call this."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode

from aegisnotify.clock import now
from notifications import drafts
from notifications.catalog import RunCompleted
from notifications.insight.replay import Case, Group
from notifications.insight.whatif import periods, recent_groups, what_if
from notifications.routing import Settings
from notifications.selectors.coverage import warnings_of
from notifications.selectors.drafts import Draft, authors_since, draft_of
from notifications.selectors.matrix import Matrix, MatrixProject
from notifications.services import coverage
from notifications.views import filter_rows
from projects.access import Right, can, refusal
from projects.models import Project
from projects.pages import WorkspaceRequest

# The parameters that say what of the matrix is looked at; forms carry them, so that one comes back to it.
PLACE = ("project", "page", "days")
ROWS_A_PAGE = 50


def page_context(request: WorkspaceRequest, matrix: Matrix) -> dict[str, Any]:
    project = chosen_project(request, matrix)
    project_id = str(project.pk) if project else None
    draft = draft_of(request.user, matrix)
    state, changes = matrix.state, draft.changes
    proposed = drafts.proposed(state, changes)
    days = chosen_days(request)
    counted = recent_groups(request.workspace, now(), days)
    shown = [item for item in matrix.projects if project is None or item.project.pk == project.pk]
    page = _page(request, shown)
    with_own = [
        item.project for item in matrix.projects if not drafts.follows_workspace(state, changes, str(item.project.pk))
    ]
    return {
        **_bar_context(request, matrix, draft, proposed, counted),
        "title": "Notifications",
        "projects": [item.project for item in matrix.projects],
        "project": project,
        "own_flags": project in with_own,
        "own_elsewhere": with_own if project is None else [],
        "flags": filter_rows.flags_shown(state, changes, filter_rows.counts_of(counted, project_id), project_id),
        "groups": [
            filter_rows.rows_of(
                item,
                proposed[str(item.project.pk)],
                changes,
                own_flags=item.project in with_own,
                several=len(shown) > 1,
                only=only,
            )
            for item, only in _grouped(page.object_list)
        ],
        "page": page,
        "changed": filter_rows.changed_by_others(matrix, draft.differences),
        "authors": authors_since(request.workspace, draft.since) if draft.stale else [],
    }


def cell_context(request: WorkspaceRequest, matrix: Matrix, channel_id: str, event: str) -> dict[str, Any]:
    """What changes with one cell of a channel: itself, the note at `run_completed`, and the draft bar."""
    draft = draft_of(request.user, matrix)
    proposed = drafts.proposed(matrix.state, draft.changes)
    item = next(item for item in matrix.projects if item.project == matrix.project_of(channel_id))
    index = [str(checkup.channel.pk) for checkup in item.checkups].index(channel_id)
    (row,) = filter_rows.rows_of(
        item,
        proposed[str(item.project.pk)],
        draft.changes,
        own_flags=False,
        several=chosen_project(request, matrix) is None and len(matrix.projects) > 1,
        only=(index,),
    ).rows
    return {
        **_bar_context(request, matrix, draft, proposed, recent_groups(request.workspace, now(), chosen_days(request))),
        "project": chosen_project(request, matrix),
        "cell": next(cell for cell in row.cells if cell.event == event),
        "covering": next(cell for cell in row.cells if cell.event == RunCompleted.name),
        "swapped": True,
    }


def chosen_project(request: WorkspaceRequest, matrix: Matrix) -> Project | None:
    """The project that the page is about; None: all. Raises `Http404` for one that is not in the workspace."""
    slug = request.GET.get("project") or request.POST.get("project")
    found = next((item.project for item in matrix.projects if item.project.slug == slug), None)
    if slug and found is None:
        raise Http404
    return found


def chosen_days(request: WorkspaceRequest) -> int:
    """How many days the what-if looks back."""
    offered = periods(request.workspace)
    wanted = request.GET.get("days") or request.POST.get("days")
    return next((days for days in offered if str(days) == wanted), offered[0])


def _bar_context(
    request: WorkspaceRequest,
    matrix: Matrix,
    draft: Draft,
    proposed: Mapping[str, Settings],
    counted: list[Group],
) -> dict[str, Any]:
    """The draft bar, with the warnings that it is compared with, and who may do what."""
    role = request.membership.role
    warnings = warnings_of(matrix)
    return {
        "draft": draft,
        "whatif": _what_if(matrix, draft, proposed, counted, chosen_days(request)),
        "days": chosen_days(request),
        "periods": periods(request.workspace),
        "period_url": _period_url(request),
        "new_gaps": _new_gaps(matrix, draft, proposed, {warning.id for warning in warnings}),
        "warnings": [
            (warning, warning.fix is not None and can(role, coverage.right_of(warning.fix))) for warning in warnings
        ],
        "locked": not matrix.limits.per_channel_filters,
        "can_configure": can(role, Right.CONFIGURE),
        "configure_refusal": refusal(Right.CONFIGURE),
        "cell_url": f"{reverse('draft_cell')}?{urlencode({'ws': request.workspace.slug})}",
        "page_number": request.GET.get("page") or request.POST.get("page") or "",
    }


def _period_url(request: WorkspaceRequest) -> str:
    query = {name: request.GET.get(name) or request.POST.get(name, "") for name in PLACE if name != "days"}
    kept = {name: value for name, value in query.items() if value}
    return f"{reverse('notifications')}?{urlencode({'ws': request.workspace.slug, **kept})}"


def _page(request: WorkspaceRequest, items: Sequence[MatrixProject]) -> Page:
    """One page of (project, index of its channel); a project without channels has the index None."""
    places = [(item, index) for item in items for index in (range(len(item.checkups)) if item.checkups else [None])]
    number = request.GET.get("page") or request.POST.get("page") or 1
    return Paginator(places, ROWS_A_PAGE).get_page(number)


def _grouped(places: Iterable[tuple[MatrixProject, int | None]]) -> list[tuple[MatrixProject, tuple[int, ...]]]:
    groups: dict[str, tuple[MatrixProject, list[int]]] = {}
    for item, index in places:
        _, indexes = groups.setdefault(str(item.project.pk), (item, []))
        if index is not None:
            indexes.append(index)
    return [(item, tuple(indexes)) for item, indexes in groups.values()]


def _what_if(
    matrix: Matrix, draft: Draft, proposed: Mapping[str, Settings], counted: list[Group], days: int
) -> filter_rows.Compared | None:
    if not draft:
        return None
    cases = {str(item.project.pk): Case(item.settings, proposed[str(item.project.pk)]) for item in matrix.projects}
    return filter_rows.compared(what_if(matrix.workspace, cases, moment=now(), days=days, groups=counted), cases)


def _new_gaps(matrix: Matrix, draft: Draft, proposed: Mapping[str, Settings], known: set[str]) -> list[str]:
    """Failures that could go unheard with the draft, and could not without it."""
    if not draft:
        return []
    found = warnings_of(matrix, proposed)
    return [warning.sentence for warning in found if warning.grave and warning.id not in known]
