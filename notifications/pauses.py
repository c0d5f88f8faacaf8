"""Until when a channel is paused, as people choose it. Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR, TOMORROW, DAY = "hour", "tomorrow", "day"
MORNING = time(9)


class BadChoice(ValueError):
    """The sentence says what is wrong with the choice."""


def until(choice: str, day: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment that a choice stands for: an hour from now, or 09:00 of tomorrow or of `day` (ISO) in `zone`.

    Raises `BadChoice`.
    """
    if choice == HOUR:
        return moment + timedelta(hours=1)
    if choice == TOMORROW:
        return morning_of(moment.astimezone(zone).date() + timedelta(days=1), zone)
    if choice == DAY:
        try:
            return morning_of(date.fromisoformat(day), zone)
        except ValueError:
            raise BadChoice("Choose the day on which the pause ends.") from None
    raise BadChoice("Choose how long the channel is paused.")


def morning_of(day: date, zone: ZoneInfo) -> datetime:
    """09:00 of that day. No zone puts its clock forward over that hour."""
    return datetime.combine(day, MORNING, zone)
