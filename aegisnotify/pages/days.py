"""Days as people give them in filters: read, and turned into moments of their zone. Pure."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def day_of(text: str) -> date | None:
    """`2026-04-28`; None for anything that is no day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a day in a zone, in UTC."""
    # The first and last days that a calendar has can't be moved to UTC.
    day = min(max(day, date(1970, 1, 2)), date(9000, 1, 1))
    return datetime.combine(day, time.min, zone).astimezone(UTC)
