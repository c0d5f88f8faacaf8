"""The usage meter: how much of a month's runs or scans is used."""

from typing import Any

from django import template

from projects.usage import Meter, reached

register = template.Library()


@register.inclusion_tag("components/meter.html")
def usage_meter(meter: Meter | str, usage: dict[str, int | None], forecast: str = "") -> dict[str, Any]:
    """`{% usage_meter "runs" usage %}` with what `selectors.usage_of` says of it, and a sentence of what to expect."""
    used, cap, percent = usage["used"] or 0, usage["cap"], usage["percent"]
    threshold = reached(used, cap)
    return {
        "label": Meter(meter).value.capitalize(),
        "used": used,
        "cap": cap,
        "percent": percent,
        "width": min(percent or 0, 100),
        "threshold": threshold,
        "forecast": forecast,
        "tone": {80: "warn", 100: "full"}.get(threshold or 0, ""),
    }
