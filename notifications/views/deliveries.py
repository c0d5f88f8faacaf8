"""The log of deliveries, what was held back, one delivery, and sending it once more."""

import uuid
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from aegisnotify.clock import now
from aegisnotify.errors import status_of
from notifications import catalog
from notifications.models import Delivery, DeliveryStatus
from notifications.selectors import log, log_filters
from notifications.selectors.delivery_page import delivery_page
from notifications.selectors.held_back import held_back
from notifications.selectors.history import shown_deliveries, shown_occurrences
from notifications.selectors.log_filters import Filters
from notifications.selectors.places import LOOKED_THROUGH, Place
from notifications.services.deliveries import redeliver
from notifications.views.project_parts import is_htmx, refusal_context, tell
from projects.access import Right, can
from projects.errors import ServiceError
from projects.pages import WorkspaceRequest, actor_of, to_page, workspace_page

HELD_BACK = "held_back"
# So many rows a page that is left open grows to; then it begins anew with the newest.
MOST_ROWS = 200


@require_safe
@workspace_page()
def deliveries_page(request: WorkspaceRequest) -> HttpResponse:
    """The log; with `show=held_back` what was decided not to be sent."""
    partial = request.headers.get("HX-Target") == "log"
    filters = Filters.read(request.GET)
    context = _held_back(request, filters) if request.GET.get("show") == HELD_BACK else _log(request, filters)
    if not partial:
        context |= {"title": "Deliveries", **_around(request, filters, context)}
    return render(request, "partials/delivery_log.html" if partial else "pages/deliveries.html", context)


@require_safe
@workspace_page()
def delivery_rows(request: WorkspaceRequest) -> HttpResponse:
    """What came after the row `after`, and how the deliveries `open` stand now; htmx adds it to the log."""
    filters = Filters.read(request.GET)
    after = Place.read(request.GET.get("after", ""))
    news = log.news(request.workspace, filters, request.user.zone, after, _ids(request.GET.get("open", "")))
    shown = _count(request.GET.get("shown", "")) + len(news.fresh)
    if news.fresh and after is None and not filters.parameters:
        # The page had nothing to filter until now.
        context = _log(request, filters)
        response = render(request, "partials/deliveries.html", {**context, **_around(request, filters, context)})
        response["HX-Retarget"], response["HX-Reswap"] = "#deliveries", "innerHTML"
        return response
    if news.fresh and (shown > MOST_ROWS or after is None):
        response = render(request, "partials/delivery_log.html", _log(request, filters))
        response["HX-Retarget"], response["HX-Reswap"] = "#log", "outerHTML"
        return response
    unfinished = [line.delivery.pk for line in (*news.fresh, *news.changed) if line.is_open]
    return render(
        request,
        "partials/delivery_news.html",
        {
            "fresh": news.fresh,
            "changed": news.changed,
            "poll": _poll(request, filters, news.after, unfinished, shown),
        },
    )


def _workspace_of(delivery_id: uuid.UUID) -> int | None:
    return Delivery.objects.filter(pk=delivery_id).values_list("workspace", flat=True).first()


@require_safe
@workspace_page(of=_workspace_of)
def delivery_detail(request: WorkspaceRequest, delivery_id: uuid.UUID) -> HttpResponse:
    return _detail(request, delivery_id)


@require_POST
@workspace_page(Right.OPERATE, of=_workspace_of)
def delivery_redeliver(request: WorkspaceRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """Send it once more. A refusal is said on the delivery's page."""
    try:
        redeliver(actor_of(request), _find(request, delivery_id))
    except ServiceError as error:
        return _detail(request, delivery_id, status_of(error), {"refusal": refusal_context(error)})
    sentence = "It is queued to be sent once more, under the same id."
    if is_htmx(request):
        return tell(_detail(request, delivery_id), sentence)
    messages.success(request, sentence)
    return to_page(request, "delivery", delivery_id)


def _detail(
    request: WorkspaceRequest, delivery_id: uuid.UUID, status: int = 200, extra: dict[str, Any] | None = None
) -> HttpResponse:
    shown = delivery_page(_find(request, delivery_id))
    partial = request.headers.get("HX-Target") == "delivery"
    return render(
        request,
        "partials/delivery.html" if partial else "pages/delivery.html",
        {
            "title": shown.message.title,
            "shown": shown,
            "delivery": shown.delivery,
            "now": now(),
            "can_operate": can(request.membership.role, Right.OPERATE),
            **(extra or {}),
        },
        status=status,
    )


def _find(request: WorkspaceRequest, delivery_id: uuid.UUID) -> Delivery:
    row = (
        shown_deliveries(request.workspace)
        .filter(pk=delivery_id)
        .select_related("occurrence", "project", "channel")
        .defer("occurrence__decisions")
        .first()
    )
    if row is None:
        raise Http404
    return row


def _log(request: WorkspaceRequest, filters: Filters) -> dict[str, Any]:
    before, after = Place.read(request.GET.get("before", "")), None
    if request.resolver_match and request.resolver_match.url_name == "delivery_rows":
        before = None
    else:
        after = Place.read(request.GET.get("newer", ""))
    page = log.page_of(request.workspace, filters, request.user.zone, before=before, after=after)
    query = {"ws": request.workspace.slug, **filters.parameters}
    live = page.newer is None
    return {
        "held_back": False,
        "filters": filters,
        "page": page,
        "live": live,
        "looked_through": LOOKED_THROUGH,
        "poll": _poll(
            request,
            filters,
            page.newest,
            [line.delivery.pk for line in page.lines if line.is_open],
            len(page.lines),
        )
        if live
        else "",
        "newer": _address(query, newer=page.newer),
        "older": _address(query, before=page.older),
        **_views(query),
    }


def _around(request: WorkspaceRequest, filters: Filters, context: dict[str, Any]) -> dict[str, Any]:
    """The filters around the log. `blank`: there is nothing to filter, because nothing was sent so far."""
    page = context["page"]
    asked = context["held_back"] or filters.parameters or page.lines or page.newer or page.looked_back_to
    if not asked:
        return {"blank": True, "had_events": shown_occurrences(request.workspace).exists()}
    return {
        "choices": log_filters.choices(request.workspace, filters),
        "statuses": DeliveryStatus.values,
        "events": catalog.events(),
    }


def _held_back(request: WorkspaceRequest, filters: Filters) -> dict[str, Any]:
    before = Place.read(request.GET.get("before", ""))
    page = held_back(request.workspace, filters, request.user.zone, before)
    query = {"ws": request.workspace.slug, **filters.parameters}
    return {
        "held_back": True,
        "filters": filters,
        "page": page,
        "paged": before is not None,
        "newest": _address({**query, "show": HELD_BACK}),
        "older": _address({**query, "show": HELD_BACK}, before=page.older),
        **_views(query),
    }


def _views(query: dict[str, str]) -> dict[str, str]:
    """The addresses of the two views of the same filters."""
    return {"sent_view": _address(query), "held_back_view": _address({**query, "show": HELD_BACK})}


def _address(query: dict[str, str], **place: Place | None) -> str:
    """Empty where a place is asked for that is None."""
    if None in place.values():
        return ""
    places = {name: str(value) for name, value in place.items()}
    return f"{reverse('deliveries')}?{urlencode({**query, **places})}"


def _poll(
    request: WorkspaceRequest, filters: Filters, newest: Place | None, unfinished: list[uuid.UUID], shown: int
) -> str:
    query: dict[str, Any] = {"ws": request.workspace.slug, **filters.parameters, "shown": shown}
    if newest is not None:
        query["after"] = str(newest)
    if unfinished:
        query["open"] = ",".join(each.hex for each in unfinished[: 2 * log.PAGE])
    return f"{reverse('delivery_rows')}?{urlencode(query)}"


def _ids(text: str) -> list[uuid.UUID]:
    found = []
    for each in text.split(",")[: 2 * log.PAGE]:
        with suppress(ValueError):
            found.append(uuid.UUID(each))
    return found


def _count(text: str) -> int:
    return int(text[:4]) if text.isascii() and text.isdigit() else 0
