"""How often something may be done."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from aegisnotify import rates

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


def tries(count, whose="ann"):
    return [rates.allowed("guess", whose, 3, HOUR) for _ in range(count)]


def test_so_many_and_no_more():
    assert tries(5) == [True, True, True, False, False]


def test_everybody_has_a_count_of_their_own():
    tries(3)
    assert tries(1, whose="ben") == [True]


def test_a_count_can_start_anew():
    tries(3)
    rates.forget("guess", "ann")
    assert tries(4) == [True, True, True, False]


def test_a_broken_cache_locks_nobody_out(monkeypatch):
    def broken(*args, **kwargs):
        raise ConnectionError

    for name in ("add", "incr", "delete"):
        monkeypatch.setattr(f"django.core.cache.cache.{name}", broken, raising=False)
    assert tries(5) == [True] * 5
    rates.forget("guess", "ann")
