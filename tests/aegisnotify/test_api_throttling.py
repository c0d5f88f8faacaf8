"""The rate limit counts each token for itself, and never stands in the way when the cache is broken."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.cache import cache

from aegisnotify.api import throttling
from aegisnotify.api.throttling import TokenRateThrottle, count

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@dataclass
class Caller:
    rate_key: str


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    cache.clear()
    monkeypatch.setattr(throttling, "outage", throttling._Outage())


def ask(key="token:1"):
    throttle = TokenRateThrottle()
    allowed = throttle.allow_request(SimpleNamespace(auth=Caller(key)), None)
    return allowed, throttle


@time_machine.travel(NOON + timedelta(seconds=20, milliseconds=500), tick=False)
def test_requests_are_counted_down_and_then_refused(settings):
    settings.AEGIS_API_RATE = 3
    answers = [ask() for _ in range(5)]
    assert [allowed for allowed, _ in answers] == [True, True, True, False, False]
    assert [throttle.rate.headers["X-RateLimit-Remaining"] for _, throttle in answers] == ["2", "1", "0", "0", "0"]
    assert answers[0][1].rate.headers["X-RateLimit-Limit"] == "3"
    assert answers[0][1].rate.headers["X-RateLimit-Reset"] == "40"
    assert answers[3][1].wait() == 40


def test_the_next_minute_starts_anew(settings):
    settings.AEGIS_API_RATE = 1
    with time_machine.travel(NOON, tick=False) as clock:
        assert ask()[0]
        assert not ask()[0]
        clock.shift(59.9)
        assert not ask()[0]
        clock.shift(0.1)
        assert ask()[0]


@time_machine.travel(NOON, tick=False)
def test_each_caller_has_a_count_of_their_own(settings):
    settings.AEGIS_API_RATE = 1
    assert ask("token:1")[0]
    assert ask("token:2")[0]
    assert not ask("token:1")[0]


def test_who_is_not_known_is_not_counted():
    throttle = TokenRateThrottle()
    assert throttle.allow_request(SimpleNamespace(auth=None), None)
    assert throttle.rate is None


def test_many_at_once_are_all_counted():
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: count("many", NOON), range(200)))
    assert sorted(counts) == list(range(1, 201))


class BrokenCache:
    def __init__(self):
        self.asked = 0

    def add(self, *args, **kwargs):
        self.asked += 1
        raise ConnectionError("the cache is down")


def test_a_broken_cache_lets_requests_pass(settings, monkeypatch):
    settings.AEGIS_API_RATE = 2
    monkeypatch.setattr(throttling, "cache", BrokenCache())
    answers = [ask() for _ in range(5)]
    assert all(allowed for allowed, _ in answers)
    assert answers[-1][1].rate.headers["X-RateLimit-Remaining"] == "2"


def test_a_count_that_vanished_between_two_steps_lets_the_request_pass(settings, monkeypatch):
    def incr(key):
        raise ValueError("no such key")

    monkeypatch.setattr(throttling, "cache", SimpleNamespace(add=lambda *args, **kwargs: False, incr=incr))
    assert ask()[0]


def test_a_broken_cache_is_left_alone_for_five_seconds_and_reported_once_a_minute(monkeypatch, caplog):
    broken = BrokenCache()
    monkeypatch.setattr(throttling, "cache", broken)
    with time_machine.travel(NOON, tick=False) as clock, caplog.at_level(logging.WARNING):
        for _ in range(24):  # two minutes, every five seconds, three requests each
            for _ in range(3):
                ask()
            clock.shift(5)
    assert broken.asked == 24
    assert len([record for record in caplog.records if record.name == throttling.__name__]) == 2


def test_limiting_goes_on_when_the_cache_is_back(settings, monkeypatch):
    settings.AEGIS_API_RATE = 1
    with time_machine.travel(NOON, tick=False) as clock:
        with monkeypatch.context() as broken:
            broken.setattr(throttling, "cache", BrokenCache())
            assert ask()[0]
        clock.shift(5)
        assert ask()[0]
        assert not ask()[0]
