"""When a cluster counts as frozen."""

import pytest

from notifications.delivery.liveness import LIMIT, Liveness


def story(*steps):
    """A cluster that was started at 0 and makes its rounds, with these (moment, what happened)."""
    liveness = Liveness(0)
    for at, what in steps:
        liveness.round_made(at)
        getattr(liveness, what)(*([at] if what == "heartbeat_accepted" else []))
    return liveness


@pytest.mark.parametrize(
    ("steps", "frozen"),
    [
        ([], False),
        ([(0, "heartbeat_accepted")], True),
        ([(0, "heartbeat_accepted"), (5, "task_finished")], False),
        ([(0, "heartbeat_accepted"), (15, "heartbeat_accepted"), (30, "heartbeat_accepted")], True),
        # The task that finished proves nothing about the heartbeat after it.
        ([(0, "heartbeat_accepted"), (5, "task_finished"), (15, "heartbeat_accepted")], False),
        ([(0, "heartbeat_accepted"), (15, "heartbeat_refused")], False),
        ([(0, "heartbeat_refused"), (1, "heartbeat_accepted")], False),
    ],
)
def test_a_cluster_is_frozen_when_a_heartbeat_that_was_accepted_does_not_come_through(steps, frozen):
    liveness = story(*steps)
    at = LIMIT + 1
    liveness.round_made(at)
    assert liveness.is_frozen(at) is frozen


def test_no_heartbeat_is_expected_in_no_time():
    liveness = story((0, "heartbeat_accepted"))
    liveness.round_made(LIMIT)
    assert not liveness.is_frozen(LIMIT)


def test_a_cluster_whose_sentinel_makes_no_rounds_is_frozen_though_its_tasks_come_through():
    liveness = Liveness(0)
    liveness.round_made(10)
    liveness.heartbeat_accepted(10 + LIMIT)
    liveness.task_finished()
    assert not liveness.is_frozen(10 + LIMIT)
    assert liveness.is_frozen(11 + LIMIT)
