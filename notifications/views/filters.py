"""The Notifications page, the draft that changes filters, and the buttons that close gaps in coverage."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from notifications import catalog, drafts
from notifications.selectors.matrix import Matrix, load_matrix
from notifications.services import coverage
from notifications.services import drafts as drafting
from notifications.views.filter_page import PLACE, cell_context, chosen_project, page_context
from notifications.views.project_parts import is_htmx, tell
from projects.access import Right, can, refusal
from projects.entitlements import filters_allowed
from projects.errors import ServiceError, Stale
from projects.pages import WorkspaceRequest, actor_of, workspace_page

PAGE, PART = "pages/notifications.html", "partials/filters.html"
WHOLE = {"HX-Retarget": "#filters", "HX-Reswap": "outerHTML"}
_VALUES: dict[str, bool | None] = {"on": True, "off": False, "inherit": None}


@require_safe
@workspace_page()
def notifications_page(request: WorkspaceRequest) -> HttpResponse:
    """Flags and matrix of all projects, or of the one that `?project=` names."""
    # What htmx restores from its history has to be a whole page.
    part = is_htmx(request) and "HX-History-Restore-Request" not in request.headers
    return _show(request, part=part, returned=not part)


@require_POST
@workspace_page()
def draft_cell(request: WorkspaceRequest) -> HttpResponse:
    """Put one cell into the draft: `cell=<channel>:<event>:<on, off or inherit>`.

    The value is the wanted one, so the same click twice is one change.
    """
    channel_id, _, rest = request.POST.get("cell", "").partition(":")
    event, _, wanted = rest.partition(":")
    matrix = load_matrix(request.workspace, now())
    owner = matrix.project_of(channel_id)
    if owner is None or catalog.find(event) is None or wanted not in _VALUES:
        raise Http404
    if not matrix.limits.per_channel_filters:
        exceeded = filters_allowed(matrix.limits)
        return _show(request, status=402, sentence=exceeded.sentence if exceeded else "", matrix=matrix)
    path = drafts.cell(str(owner.pk), channel_id, event)
    drafting.stage(request.user, matrix, path, _VALUES[wanted])
    if not is_htmx(request):
        return _back(request)
    return render(request, "partials/cell_answer.html", cell_context(request, matrix, channel_id, event))


@require_POST
@workspace_page()
def draft_flag(request: WorkspaceRequest, event: str) -> HttpResponse:
    """Put one flag into the draft: the workspace's, or with `owner` that project's own."""
    wanted = request.POST.get("value", "")
    if catalog.find(event) is None or wanted not in ("on", "off"):
        raise Http404
    matrix = load_matrix(request.workspace, now())
    owner = request.POST.get("owner", "")
    if owner and owner not in {str(item.project.pk) for item in matrix.projects}:
        raise Http404
    path = drafts.own_flag(owner, event) if owner else drafts.workspace_flag(event)
    drafting.stage(request.user, matrix, path, wanted == "on")
    return _changed(request, matrix)


@require_POST
@workspace_page()
def draft_inheritance(request: WorkspaceRequest) -> HttpResponse:
    """Put into the draft whether the project follows the workspace's flags (`follow=yes`) or has its own."""
    matrix = load_matrix(request.workspace, now())
    project = chosen_project(request, matrix)
    follow = request.POST.get("follow", "")
    if project is None or follow not in ("yes", "no"):
        raise Http404
    drafting.stage_inheritance(request.user, matrix, project.pk, follow == "yes")
    return _changed(request, matrix)


@require_POST
@workspace_page(Right.CONFIGURE)
def draft_save(request: WorkspaceRequest) -> HttpResponse:
    """Save the draft. `resolve` (mine or theirs) says how to go on from what somebody saved meanwhile."""
    resolve = request.POST.get("resolve", "")
    try:
        if resolve in ("mine", "theirs"):
            matrix = load_matrix(request.workspace, now())
            seen = request.POST.get("seen", "")
            drafting.resolve(request.user, matrix, keep_mine=resolve == "mine", seen=seen)
        if resolve == "theirs":
            return _done(request, "Their settings stay. What is left of your draft is still unsaved.")
        count = drafting.save(actor_of(request), request.user, request.workspace)
    except Stale:
        sentence = "Somebody saved changes since you began, so nothing was saved. Look at both, then decide."
        return _show(request, status=412, sentence=sentence, focus="h-stale")
    except ServiceError as error:
        return _show(request, status=status_of(error), sentence=error.message)
    if not count:
        return _done(request, "There was nothing left to save.")
    return _done(request, f"{count} change{'' if count == 1 else 's'} saved.")


@require_POST
@workspace_page()
def draft_discard(request: WorkspaceRequest) -> HttpResponse:
    drafting.discard(request.user, request.workspace)
    return _done(request, "The draft is discarded. Nothing was changed.")


@require_POST
@workspace_page(Right.OPERATE)
def coverage_fix(request: WorkspaceRequest) -> HttpResponse:
    """Make the change that a warning (`warning=<id>`) offers, at once."""
    warning = coverage.find_warning(request.workspace, request.POST.get("warning", ""))
    if warning is None or warning.fix is None:
        return _done(request, "That gap is closed already.")
    if not can(request.membership.role, coverage.right_of(warning.fix)):
        return _show(request, status=403, sentence=refusal(coverage.right_of(warning.fix)))
    try:
        coverage.apply_fix(actor_of(request), request.user, request.workspace, warning.fix)
    except ServiceError as error:
        return _show(request, status=status_of(error), sentence=error.message)
    return _done(request, f"Done: {warning.fix.label[0].lower()}{warning.fix.label[1:]}.")


@require_safe
def settings_notifications(request: HttpRequest) -> HttpResponse:
    """The settings' entry leads to the page in the sidebar."""
    query = request.GET.urlencode()
    return redirect(reverse("notifications") + (f"?{query}" if query else ""))


def _changed(request: WorkspaceRequest, matrix: Matrix) -> HttpResponse:
    """What changes many cells at once is drawn anew as a whole."""
    return _show(request, matrix=matrix) if is_htmx(request) else _back(request)


def _done(request: WorkspaceRequest, sentence: str) -> HttpResponse:
    if is_htmx(request):
        return tell(_show(request, focus="h-matrix"), sentence)
    messages.success(request, sentence)
    return _back(request)


def _back(request: WorkspaceRequest) -> HttpResponse:
    """To the page as it was looked at."""
    query = {"ws": request.workspace.slug, **{name: request.POST[name] for name in PLACE if request.POST.get(name)}}
    return redirect(f"{reverse('notifications')}?{urlencode(query)}")


def _show(
    request: WorkspaceRequest,
    *,
    part: bool | None = None,
    status: int = 200,
    sentence: str = "",
    focus: str = "",
    matrix: Matrix | None = None,
    returned: bool = False,
) -> HttpResponse:
    """The page, or with htmx all of it that the draft can change. `sentence` is a refusal, `focus` where to go on."""
    part = is_htmx(request) if part is None else part
    matrix = matrix or load_matrix(request.workspace, now())
    context = page_context(request, matrix) | {
        "refusal": sentence,
        "focus": focus if part else "",
        "returned": returned,
        "part": part,
    }
    if not part:
        return render(request, PAGE, context, status=status)
    response = render(request, PART, context, status=status)
    if request.method == "POST":
        for header, value in WHOLE.items():
            response[header] = value
    return response
