"""What a usage warning says, and to whom it goes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from digests.words import day_and_month
from projects.access import Role
from projects.usage import Meter

SINGULAR = {Meter.RUNS: "run", Meter.SCANS: "scan"}
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Warning:
    """A threshold that was reached. `by_plan`: by a change of the plan, not by usage. `cap_on`: the day on which the
    cap is reached at this month's pace, if it will be."""

    workspace: str
    plan: str
    meter: Meter
    threshold: int
    used: int
    cap: int
    by_plan: bool
    resets_on: date
    cap_on: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    subject: str
    heading: str
    lead: str
    bar: str
    tone: str


def say(warning: Warning) -> Said:
    meter, full = warning.meter.value, warning.threshold >= 100
    one = SINGULAR[warning.meter]
    numbers = f"{warning.used:,} of {warning.cap:,} {meter}"
    if full:
        subject = f"All {meter} for this month are used ({warning.workspace})"
        heading = f"All {warning.cap:,} {meter} are used"
        lead = (
            "Messages go on as before: every further "
            f"{one} is recorded, counted and told of. A larger plan has room for more."
        )
    else:
        subject = f"{warning.threshold}% of this month's {meter} used ({warning.workspace})"
        heading = f"{warning.threshold}% of this month's {meter} are used"
        lead = "Nothing is held back, not at 100% either."
        if warning.cap_on is not None:
            lead = f"At this month's pace you reach the cap on {day_and_month(warning.cap_on)}. {lead}"
    if warning.by_plan:
        heading = f"The {warning.plan} plan has {warning.cap:,} {meter} a month"
        lead = f"The plan was changed, and {warning.used:,} {meter} are used this month already. {lead}"
    return Said(
        subject=subject,
        heading=heading,
        lead=lead,
        bar=f"{numbers}. Resets {day_and_month(warning.resets_on)}.",
        tone="bad" if full else "warn",
    )


def where(meter: Meter, projects: Sequence[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    """Where it goes: the projects with the most, with their numbers in words."""
    ordered = sorted(projects, key=lambda item: (-item[1], item[0].casefold()))
    return tuple(
        (name, f"{count:,} {SINGULAR[meter] if count == 1 else meter.value}") for name, count in ordered if count
    )[:SHOWN]


def goes_to(role: str, threshold: int, *, opted_out: bool) -> bool:
    """Whether an owner or admin gets it. The one at 100 % always goes to the owner: it is about the service itself."""
    return not opted_out or (role == Role.OWNER and threshold >= 100)
