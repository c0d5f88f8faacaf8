"""Functions that the worker runs again and again."""

import threading

import pytest

from notifications.delivery import periodic
from notifications.delivery.periodic import Entry


@pytest.fixture(autouse=True)
def no_database(monkeypatch):
    monkeypatch.setattr(periodic, "close_old_connections", lambda: None)


class Calls:
    """Counts, and stops the run when it has been called often enough."""

    def __init__(self, stop, enough, fails=False):
        self.count = 0
        self._stop, self._enough, self._fails = stop, enough, fails
        self.__name__ = "calls"

    def __call__(self):
        self.count += 1
        if self.count == self._enough:
            self._stop.set()
        if self._fails:
            raise ValueError("broken")


def test_each_function_gets_its_turns():
    stop = threading.Event()
    often, seldom = Calls(stop, 5), Calls(stop, 2)
    periodic.run(stop, [Entry(0, often), Entry(3600, seldom)], look_every=0.001)
    assert (often.count, seldom.count) == (5, 0)


def test_a_function_that_fails_is_logged_and_gets_its_next_turn(caplog):
    stop = threading.Event()
    failing, other = Calls(stop, 3, fails=True), Calls(stop, 0)
    periodic.run(stop, [Entry(0, failing), Entry(0, other)], look_every=0.001)
    assert (failing.count, other.count) == (3, 2)
    assert caplog.text.count("It runs again in 0 seconds.") == 3
    assert "broken" in caplog.text


def test_the_first_turn_comes_soon(monkeypatch):
    monkeypatch.setattr(periodic, "FIRST_AFTER", 0.01)
    stop = threading.Event()
    daily = Calls(stop, 1)
    periodic.run(stop, [Entry(24 * 3600, daily)], look_every=0.001)
    assert daily.count == 1


def test_registering(monkeypatch):
    monkeypatch.setattr(periodic, "_registered", [])

    @periodic.every(60)
    def tidy():
        return "tidied"

    (entry,) = periodic.registered()
    assert (entry.seconds, entry.name) == (60, f"{__name__}.tidy")
    assert tidy() == "tidied"
