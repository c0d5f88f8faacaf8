"""What the pages of "Who was told?" share: rows with the buttons that this reader may press, and pressing them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from notifications.insight.remedies import Remedy, remedies
from notifications.insight.trace import Newcomer, Row
from notifications.routing import decide
from notifications.selectors.routing import routing_settings
from notifications.services.remedies import apply_remedy
from notifications.services.testing import TestResult
from notifications.views.project_parts import channel_of, is_htmx, refusal_context, tell
from projects.access import can, refusal
from projects.errors import ServiceError
from projects.models import Project
from projects.pages import WorkspaceRequest, actor_of

SO_ALREADY = "That is so already."
ROWS_A_PAGE = 50
# Gets the context that stands on one row, by channel id, and the status.
Show = Callable[[dict[str, dict[str, Any]], int], HttpResponse]


@dataclass(frozen=True, slots=True)
class Shown:
    """`refusals` say who may do what this reader may not; `note` is what came of a button."""

    row: Row | Newcomer
    offers: tuple[Remedy, ...]
    refusals: tuple[str, ...]
    note: dict[str, Any]


def rows_context(
    request: WorkspaceRequest, rows: Sequence[Row], notes: dict[str, dict[str, Any]], *, here: str, fix: str
) -> dict[str, Any]:
    """A page of the rows. `here` is this page's address, `fix` where its buttons are sent, both with a query."""
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "page_url": here,
        "shown": [shown(request, row, notes) for row in page],
        "fix_url": with_page(request, fix),
    }


def with_page(request: HttpRequest, address: str) -> str:
    """An address with the page of rows that is looked at, so that a button leads back to it."""
    number = request.GET.get("page", "")
    return f"{address}&{urlencode({'page': number})}" if number else address


def shown(request: WorkspaceRequest, row: Row | Newcomer, notes: dict[str, dict[str, Any]]) -> Shown:
    role = request.membership.role
    return Shown(
        row,
        tuple(remedy for remedy in row.remedies if can(role, remedy.right)),
        tuple(dict.fromkeys(refusal(remedy.right) for remedy in row.remedies if not can(role, remedy.right))),
        notes.get(row.channel_id, {}),
    )


def is_part(request: HttpRequest) -> bool:
    """Whether htmx swaps in the rows alone."""
    return request.headers.get("HX-Target") == "told"


def press(
    request: WorkspaceRequest, project: Project, fired: Sequence[str], show: Show, back: Callable[[], HttpResponse]
) -> HttpResponse:
    """Do what a row's button (`channel`, `remedy`) says, if it is still in the way of an occurrence that fired these.

    `show` draws the page, `back` leads to it. `project` with its workspace and plan loaded.
    """
    channel_id, kind = request.POST.get("channel", ""), request.POST.get("remedy", "")
    remedy = _find(project, fired, channel_id, kind)
    if remedy is None:
        return _done(request, SO_ALREADY, channel_id, show, back)
    if not can(request.membership.role, remedy.right):
        raise PermissionDenied(refusal(remedy.right))
    try:
        done = apply_remedy(actor_of(request), request.user, channel_of(project, channel_id), remedy)
    except ServiceError as error:
        return show({channel_id: {"refusal": refusal_context(error), "focus": True}}, status_of(error))
    if isinstance(done, TestResult):
        return show({channel_id: {"test": {"result": done}, "focus": True}}, 200)
    return _done(request, done, channel_id, show, back)


def _find(project: Project, fired: Sequence[str], channel_id: str, kind: str) -> Remedy | None:
    settings = routing_settings(project, now())
    decision = next((each for each in decide(fired, settings) if each.channel.id == channel_id), None)
    if decision is None:
        return None
    found = remedies(decision, settings, str(project.pk), inherits=project.inherits_workspace_flags)
    return next((each for each in found if each.kind == kind and not each.kind.is_link), None)


def _done(
    request: WorkspaceRequest, sentence: str, channel_id: str, show: Show, back: Callable[[], HttpResponse]
) -> HttpResponse:
    if is_htmx(request):
        return tell(show({channel_id: {"focus": True}}, 200), sentence)
    messages.success(request, sentence)
    return back()
