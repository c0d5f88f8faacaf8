"""What arrived is kept in order, within bounds, and for nobody else's eyes."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine

from notifications.sandbox import arrivals
from notifications.sandbox.arrivals import Arrival, Check


def store(body="x", **fields):
    return arrivals.store(Arrival(kind="slack", headers={}, body=body, **fields))


def bodies(**window):
    return [arrival.body for arrival in arrivals.newest(10, **window)]


def test_an_arrival_is_read_as_it_was_stored():
    check = Check(False, "wrong")
    number = store("\ud800 é", target="/x", status=400, answer="no", html="<p>", checks=(check,))
    [arrival] = arrivals.newest(10)
    assert (arrival.number, arrival.body, arrival.target, arrival.status, arrival.answer, arrival.html) == (
        (number, "\ud800 é", "/x", 400, "no", "<p>")
    )
    assert arrival.checks == (check,)
    assert arrivals.get(number) == arrival


def test_the_newest_comes_first():
    for body in "abc":
        store(body)
    assert bodies() == ["c", "b", "a"]


def test_the_list_can_be_read_in_windows():
    numbers = [store(body) for body in "abcd"]
    assert bodies(before=numbers[2]) == ["b", "a"]
    assert bodies(after=numbers[1]) == ["d", "c"]


@time_machine.travel("2026-04-28T10:00:00Z", tick=False)
def test_arrivals_of_the_same_moment_keep_their_order():
    numbers = [store(body) for body in "abc"]
    assert numbers == sorted(set(numbers))


def test_a_clock_that_is_set_back_does_not_hide_what_arrives_then():
    with time_machine.travel("2026-04-28T10:00:00Z"):
        seen = store("before")
    with time_machine.travel("2026-04-28T09:00:00Z"):
        store("after")
    assert bodies(after=seen) == ["after"]


def test_only_the_last_are_kept(monkeypatch):
    monkeypatch.setattr(arrivals, "KEPT", 3)
    for body in "abcde":
        store(body)
    assert bodies() == ["e", "d", "c"]
    assert arrivals.count() == 3


def test_arrivals_from_many_threads_are_all_kept_under_names_of_their_own():
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda number: store(str(number)), range(40)))
    assert len(set(numbers)) == 40
    assert arrivals.count() == 40


def test_clearing_leaves_nothing():
    store()
    arrivals.clear()
    assert arrivals.newest(10) == []


def test_nothing_has_arrived_where_nothing_was_ever_stored():
    assert arrivals.newest(10) == []
    assert arrivals.count() == 0
    assert arrivals.get(7) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kind": "slack"}', json.dumps({"checks": [], "at": 3})])
def test_a_file_that_is_no_arrival_is_passed_over(content):
    store("good")
    (arrivals.directory() / "00000000000000000001.json").write_text(content)
    assert bodies() == ["good"]


def test_mails_are_for_this_user_alone():
    number = store()
    mode = (arrivals.directory() / f"{number:020d}.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(arrivals.directory().stat().st_mode) == 0o700
