"""When somebody is nudged, and in which words. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digests.words import day_and_month, number

STAGES = (7, 30)
LAST = STAGES[-1]
TOO_LATE = timedelta(days=37)
# A nudge waits so long after a digest to the same person.
GAP = timedelta(hours=24)
# Activity after a look starts the count anew, and the shortest count is this long: looking so often misses none.
LOOK_AGAIN = timedelta(days=STAGES[0])


@dataclass(frozen=True, slots=True)
class Decision:
    """`stage` is set when it is that nudge's turn; `too_late`: it is not sent any more. `next_at`: when to look again,
    and with it the clock's stage from then on is `stage` or as it was."""

    next_at: datetime
    stage: int | None = None
    too_late: bool = False


def decide(quiet_since: datetime, stage: int, moment: datetime, digest_at: datetime | None = None) -> Decision:
    """What is due for somebody quiet since then who got the nudge of `stage` days (0: none). `digest_at`: when the last
    digest went to them."""
    quiet = moment - quiet_since
    if stage < LAST and quiet > TOO_LATE:
        return Decision(moment + LOOK_AGAIN, LAST, too_late=True)
    due = next((days for days in reversed(STAGES) if quiet >= timedelta(days=days)), None)
    if due is not None and due > stage:
        if digest_at is not None and moment - digest_at < GAP:
            return Decision(digest_at + GAP)
        return Decision(_next(quiet_since, due, moment), due)
    return Decision(_next(quiet_since, stage, moment))


def _next(quiet_since: datetime, stage: int, moment: datetime) -> datetime:
    following = [quiet_since + timedelta(days=days) for days in STAGES if days > stage]
    return min([*following[:1], moment + LOOK_AGAIN])


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a project. Of older ones only the day is known."""

    day: date
    suite: str = ""
    passed: int = 0
    total: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    subject: str
    heading: str
    lead: str


def _result(last: LastRun) -> str:
    if last.total:
        return f": {last.passed:,} of {last.total:,} passed"
    return ", and it failed" if last.failed else ""


def say(project: str, days: int, last: LastRun | None) -> Said:
    """`days`: since the project's last run, or how long it was quiet where none is known."""
    closing = "Sites change even when nobody is looking; one run tells you if yours still works."
    if last is None:
        return Said(
            f"{project} has not been tested yet",
            "No runs yet",
            f"Nothing has run in {project} so far. {closing}",
        )
    when = day_and_month(last.day)
    if last.suite:
        sentence = f"Your last run in {project} was {last.suite} on {when}{_result(last)}."
    else:
        sentence = f"Your last run in {project} was on {when}."
    span = number(days, "day")
    return Said(f"{project} has not been tested for {span}", f"No runs for {span}", f"{sentence} {closing}")
