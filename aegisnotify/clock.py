"""The one seam for "now": decisions take a moment as an argument, everything else asks here."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)
