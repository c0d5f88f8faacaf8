"""The month's meters as pages show them: what is used, and what to expect."""

from dataclasses import dataclass
from datetime import date

from aegisnotify.clock import now
from projects.usage import Meter, at_months_end, cap_reached_on, reached

_LABELS = {Meter.RUNS: "test runs", Meter.SCANS: "scans"}


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    label: str
    usage: dict[str, int | None]
    threshold: int | None
    cap_on: date | None
    month: int | None
    """What the whole month will have used at this pace."""

    @property
    def forecast(self) -> str:
        """A sentence; none where the cap is reached already."""
        cap = self.usage["cap"]
        if self.threshold == 100:
            return ""
        if self.cap_on is not None:
            return f"At this pace the cap is reached on {self.cap_on.day} {self.cap_on:%B}."
        if self.month is None:
            return "A forecast needs a day of the month."
        return f"At this pace the month ends with {self.month:,}{f' of {cap:,}' if cap else ''}."


def gauges(measured: dict[Meter, dict[str, int | None]]) -> list[Gauge]:
    """Of what `selectors.usage_of` says of this month."""
    moment = now()
    made = []
    for meter, usage in measured.items():
        used, cap = usage["used"] or 0, usage["cap"]
        made.append(
            Gauge(
                meter.value,
                _LABELS[meter],
                usage,
                reached(used, cap),
                cap_reached_on(used, cap, moment),
                at_months_end(used, moment),
            )
        )
    return made
