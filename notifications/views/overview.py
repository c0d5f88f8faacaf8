"""The Overview: is everything delivered, and what happened last."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from aegisnotify.pages.charts import sparkline, stacked_bars
from aegisnotify.templatetags.aegis import latency
from aegisnotify.text import counted
from notifications.channels import registry
from notifications.selectors.health import ChannelHealth, Checkup
from notifications.selectors.overview import ChannelLine, overview
from notifications.windows import HOURS, Range, Window, read_range
from projects.pages import WorkspaceRequest, workspace_page
from projects.usage import resets_on

# What htmx may ask for instead of the page, by the element that it is for.
_WHOLE, _NUMBERS = "overview", "overview-now"
_TEMPLATES = {_WHOLE: "partials/overview.html", _NUMBERS: "partials/overview_news.html"}


@dataclass(frozen=True, slots=True)
class ChannelItem:
    """A channel as the list shows it."""

    checkup: Checkup
    kind_label: str
    icon: str
    delivered: int
    spark: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the ranges to choose from."""

    range: Range
    url: str
    current: bool


@require_safe
@workspace_page()
def overview_page(request: WorkspaceRequest) -> HttpResponse:
    """`range` chooses how far back; whatever is none of them is the last day."""
    target = request.headers.get("HX-Target", "")
    response = render(request, _TEMPLATES.get(target, "pages/overview.html"), _context(request))
    if target == _NUMBERS:
        return _if_changed(response, request.GET.get("seen", ""))
    return response


def _if_changed(response: HttpResponse, seen: str) -> HttpResponse:
    """Nothing where the page shows all of this already: then nobody's reading is disturbed."""
    digest = hashlib.sha256(response.content).hexdigest()[:16]
    if digest == seen:
        return HttpResponse(status=204)
    mark = f'<input type="hidden" id="overview-seen" name="seen" value="{digest}" hx-swap-oob="true">'
    response.content += mark.encode()
    return response


def _context(request: WorkspaceRequest) -> dict[str, object]:
    moment = now()
    chosen = read_range(request.GET.get("range", ""))
    shown = overview(request.workspace, moment, request.user.zone, chosen)
    labels = [_label(part.start, shown.window) for part in shown.parts]
    marks = [_mark(part.start, shown.window) for part in shown.parts]
    return {
        "title": "Overview",
        "now": moment,
        "overview": shown,
        "choices": [Choice(each, _address(request, each), each is chosen) for each in Range],
        "poll": _address(request, chosen),
        "p95": latency(shown.p95_ms).partition(" ") if shown.p95_ms is not None else None,
        "rows": list(zip(labels, shown.parts, strict=True)),
        "chart": stacked_bars(
            [(part.delivered, part.failed) for part in shown.parts], marks, label_every=1 if len(marks) <= 8 else 4
        ),
        "busiest_label": _label(shown.busiest.start, shown.window),
        **_words(shown.window),
        # The log is filtered by days.
        "since": timezone.localtime(shown.parts[0].start).date().isoformat(),
        "channels": [_item(line) for line in shown.lines],
        "troubled": [_item(line) for line in shown.troubled],
        "paused": shown.health.get(ChannelHealth.PAUSED, 0),
        "over_plan_limit": shown.health.get(ChannelHealth.OVER_PLAN_LIMIT, 0),
        "resets_on": resets_on(moment),
    }


def _address(request: WorkspaceRequest, chosen: Range) -> str:
    return f"{reverse('overview')}?{urlencode({'ws': request.workspace.slug, 'range': chosen.value})}"


def _words(window: Window) -> dict[str, str]:
    """What to call the window, its parts and the time before it."""
    if not window.days:
        return {"unit": "hour", "span": f"last {HOURS} hours", "before": "the day before"}
    days = counted(window.days, "day")
    if window.days == 1:
        return {"unit": "day", "span": "day", "before": "the day before"}
    return {"unit": "day", "span": f"last {days}", "before": f"the {days} before"}


def _label(start: datetime, window: Window) -> str:
    local = timezone.localtime(start)
    return f"{local:%a} {local.day} {local:%b}" if window.days else f"{local:%H:%M}"


def _mark(start: datetime, window: Window) -> str:
    """What has room below the chart."""
    local = timezone.localtime(start)
    if not window.days:
        return f"{local:%H:%M}"
    return f"{local:%a} {local.day}" if window.days <= 8 else f"{local.day} {local:%b}"


def _item(line: ChannelLine) -> ChannelItem:
    kind = registry.find(line.checkup.channel.kind)
    return ChannelItem(
        line.checkup,
        kind.label if kind else line.checkup.channel.kind,
        kind.icon if kind else "bell",
        line.delivered,
        sparkline(line.parts) if line.delivered else "",
    )
