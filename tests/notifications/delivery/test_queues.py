"""Who may take what: per host, and in all."""

import threading

from notifications.delivery.queues import HostQueues


def taken_at_once(queues, wanted):
    """What `wanted` threads get within a moment, each taking one."""
    got = []
    threads = [threading.Thread(target=lambda: got.append(queues.take()), daemon=True) for _ in range(wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.05)
    return got


def filled(queues, hosts, each):
    for host in hosts:
        for number in range(each):
            queues.put(host, number)
    return queues


def test_a_host_has_at_most_its_bound_in_flight():
    queues = filled(HostQueues(bound=2), "a", 5)
    got = taken_at_once(queues, 4)
    assert [host for host, _ in got] == ["a", "a"]
    queues.done("a")
    assert len(taken_at_once(queues, 0)) == 0
    assert queues.in_flight + queues.waiting == 4
    queues.close()


def test_hosts_take_turns():
    queues = filled(HostQueues(bound=3), "ab", 3)
    assert [queues.take()[0] for _ in range(4)] == ["a", "b", "a", "b"]


def test_what_comes_first_is_taken_before_all_that_waits():
    queues = filled(HostQueues(bound=2), "ab", 2)
    queues.put("b", "first", first=True)
    queues.put("c", "new", first=True)
    assert [queues.take() for _ in range(3)] == [("c", "new"), ("b", "first"), ("a", 0)]
    queues.take()
    assert (queues.has_room("a"), queues.has_room("b"), queues.has_room("d")) == (True, False, True)


def test_no_more_is_taken_than_may_be_unstored():
    queues = filled(HostQueues(bound=9, most=3), "ab", 4)
    for _ in range(3):
        queues.done(queues.take()[0])
    got = taken_at_once(queues, 2)
    assert got == []
    queues.stored(1)
    for _ in range(100):
        if got or queues.waiting < 5:
            break
        threading.Event().wait(0.01)
    assert queues.waiting == 4
    queues.stored(3)
    assert queues.take() is not None
    queues.close()


def test_nothing_is_taken_while_a_result_waits_for_long_to_be_stored():
    moment = 0.0
    queues = filled(HostQueues(bound=9, most_seconds=1.0, clock=lambda: moment), "a", 6)
    for _ in range(2):
        queues.done(queues.take()[0])
    moment = 1.0
    assert queues.take() == ("a", 2)
    moment = 1.1
    assert taken_at_once(queues, 2) == []
    queues.stored(2)
    # Those two have been waiting, and are let go.
    for _ in range(100):
        if queues.waiting == 1:
            break
        threading.Event().wait(0.01)
    assert queues.waiting == 1
    assert queues.take() is not None
    assert queues.unstored == 4
    queues.close()


def test_who_waits_for_room_is_let_go_at_the_end():
    queues = filled(HostQueues(bound=9, most=1), "a", 2)
    queues.take()
    got = []
    waiting = threading.Thread(target=lambda: got.append(queues.take()))
    waiting.start()
    queues.close()
    waiting.join(5)
    assert got == [None]


def test_what_waits_is_shown_and_taken_as_a_whole():
    queues = filled(HostQueues(bound=1), "ab", 3)
    assert len(queues.snapshot()) == queues.waiting == 6
    assert sorted(queues.crowded(2)) == [0, 0, 1, 1, 2, 2]
    assert queues.crowded(3) == []
    assert len(queues.take_all()) == 6
    assert queues.waiting == 0
