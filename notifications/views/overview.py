"""The Overview: is everything delivered, and what happened last."""

import hashlib
from dataclasses import dataclass
from datetime import date

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
from notifications.selectors.overview import CHANNEL_P95_OF, MOST_WAITING, ChannelLine, overview
from notifications.windows import HOURS, Range, Window, hour_start, read_range
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
    p95: str
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
    labels, marks = _labels(shown.window), _marks(shown.window)
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
        "busiest_label": labels[shown.parts.index(shown.busiest)],
        **_words(shown.window),
        # The log is filtered by days.
        "since": _first_date(shown.window).isoformat(),
        "channels": [_item(line) for line in shown.lines],
        "troubled": [_item(line) for line in shown.troubled],
        "waiting": _waiting(shown.waiting),
        "has_p95": any(line.p95_ms is not None for line in shown.lines),
        "p95_of": CHANNEL_P95_OF,
        "paused": shown.health.get(ChannelHealth.PAUSED, 0),
        "over_plan_limit": shown.health.get(ChannelHealth.OVER_PLAN_LIMIT, 0),
        "resets_on": resets_on(moment),
    }


def _waiting(count: int) -> str:
    """The sentence about the messages that the troubled channel still has to take; empty where there are none."""
    if count > MOST_WAITING:
        return f"More than {MOST_WAITING} messages are waiting."
    return f"{counted(count, 'message')} {'is' if count == 1 else 'are'} waiting." if count else ""


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


def _first_date(window: Window) -> date:
    return window.dates[0] if window.dates else timezone.localtime(hour_start(window.start)).date()


def _labels(window: Window) -> list[str]:
    """By their dates: the hour that a day begins with is the evening before where midnight is no full hour UTC."""
    if window.dates:
        return [f"{each:%a} {each.day} {each:%b}" for each in window.dates]
    return [f"{timezone.localtime(hour_start(each)):%H:%M}" for each in window.starts]


def _marks(window: Window) -> list[str]:
    """What has room below the chart."""
    if not window.dates:
        return _labels(window)
    return [f"{each:%a} {each.day}" if window.days <= 8 else f"{each.day} {each:%b}" for each in window.dates]


def _item(line: ChannelLine) -> ChannelItem:
    kind = registry.find(line.checkup.channel.kind)
    return ChannelItem(
        line.checkup,
        kind.label if kind else line.checkup.channel.kind,
        kind.icon if kind else "bell",
        line.delivered,
        latency(line.p95_ms) if line.p95_ms is not None else "",
        sparkline(line.parts) if line.delivered else "",
    )
