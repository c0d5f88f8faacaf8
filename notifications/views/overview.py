"""The Overview: is everything delivered, and what happened last."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegisnotify.clock import now
from aegisnotify.pages.charts import sparkline, stacked_bars
from aegisnotify.templatetags.aegis import latency
from notifications.channels import registry
from notifications.selectors.health import ChannelHealth, Checkup
from notifications.selectors.overview import ChannelLine, overview
from notifications.views.usage import gauges
from projects.pages import WorkspaceRequest, usage, workspace_page
from projects.usage import resets_on


@dataclass(frozen=True, slots=True)
class ChannelItem:
    """A channel as the list shows it."""

    checkup: Checkup
    kind_label: str
    icon: str
    delivered: int
    spark: str


@require_safe
@workspace_page()
def overview_page(request: WorkspaceRequest) -> HttpResponse:
    moment = now()
    shown = overview(request.workspace, moment)
    labels = [f"{timezone.localtime(hour.start):%H:%M}" for hour in shown.hours]
    busiest = max(shown.hours, key=lambda hour: hour.delivered + hour.failed)
    return render(
        request,
        "pages/overview.html",
        {
            "title": "Overview",
            "now": moment,
            "overview": shown,
            "p95": latency(shown.p95_ms).partition(" ") if shown.p95_ms is not None else None,
            "rows": list(zip(labels, shown.hours, strict=True)),
            "chart": stacked_bars([(hour.delivered, hour.failed) for hour in shown.hours], labels),
            "busiest": busiest,
            "busiest_label": f"{timezone.localtime(busiest.start):%H:%M}",
            "channels": [_item(line) for line in shown.lines],
            "troubled": [_item(line) for line in shown.troubled],
            "paused": shown.health.get(ChannelHealth.PAUSED, 0),
            "over_plan_limit": shown.health.get(ChannelHealth.OVER_PLAN_LIMIT, 0),
            "usage": {meter.value: measured for meter, measured in usage(request).items()},
            "gauges": gauges(request),
            "resets_on": resets_on(moment),
        },
    )


def _item(line: ChannelLine) -> ChannelItem:
    kind = registry.find(line.checkup.channel.kind)
    return ChannelItem(
        line.checkup,
        kind.label if kind else line.checkup.channel.kind,
        kind.icon if kind else "bell",
        line.delivered,
        sparkline(line.hourly) if line.delivered else "",
    )
