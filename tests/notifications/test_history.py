"""What a plan's days mean."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.history import history

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "shown", "kept", "known"),
    [(7, 7, 15, 400), (15, 15, 16, 400), (90, 90, 91, 400), (365, 365, 366, 400), (700, 700, 701, 701)],
)
def test_shown_kept_and_known(days, shown, kept, known):
    found = history(days, NOW)
    assert (found.shown_since, found.kept_since, found.known_since) == tuple(
        NOW - timedelta(days=each) for each in (shown, kept, known)
    )


def test_unlimited_history_loses_nothing():
    found = history(None, NOW)
    assert (found.shown_since, found.kept_since, found.known_since) == (None, None, None)
