"""What the worker does with its processes: with scripted ones, and the processes themselves."""

import os
import signal
import socket
import time

import pytest

from notifications.delivery import cluster, standby
from notifications.delivery.children import Child, Link
from notifications.delivery.liveness import LIMIT
from notifications.delivery.supervisor import EARLY, MOST_WAIT, Supervisor, _reap_orphans


class Process:
    """Does what it is told by the test."""

    def __init__(self, pid):
        self.pid = pid
        self.ended = self.killed = self.asked = False
        self.said = b""

    def has_ended(self):
        return self.ended

    def notes(self):
        said, self.said = self.said, b""
        return said

    def ask_to_stop(self):
        self.asked = self.ended = True

    def kill(self):
        self.killed = True


class World:
    """A supervisor with a clock of its own and every process it has started."""

    def __init__(self):
        self.at = 1000.0
        self.clusters, self.standbys = [], []
        self.supervisor = Supervisor(
            lambda: self._start(self.clusters), lambda: self._start(self.standbys), clock=lambda: self.at
        )
        self.supervisor.watch()

    def _start(self, processes):
        processes.append(Process(100 + len(self.clusters) + len(self.standbys)))
        return processes[-1]

    def pass_time(self, seconds, *, rounds=True, heartbeats=b""):
        """Second by second. The cluster makes its rounds, the standby says `heartbeats` every fifth second."""
        for second in range(int(seconds)):
            self.at += 1
            if rounds:
                self.clusters[-1].said += cluster.ROUND
            if second % 5 == 0:
                self.standbys[-1].said += heartbeats
            self.supervisor.watch()


@pytest.fixture
def world():
    return World()


def test_both_are_started_and_left_alone_while_all_is_well(world):
    for _ in range(30):
        world.pass_time(10, heartbeats=standby.ACCEPTED)
        world.clusters[-1].said += cluster.FINISHED
    assert (len(world.clusters), len(world.standbys)) == (1, 1)


def test_a_cluster_that_has_ended_is_started_anew_and_what_is_left_of_it_killed(world):
    world.pass_time(EARLY)
    world.clusters[0].ended = True
    world.pass_time(2)
    assert world.clusters[0].killed
    assert (len(world.clusters), len(world.standbys)) == (2, 1)
    assert world.supervisor.pids == {world.clusters[1].pid, world.standbys[0].pid}


def test_a_standby_that_has_ended_is_started_anew(world):
    world.pass_time(EARLY)
    world.standbys[0].ended = True
    world.pass_time(2)
    assert (len(world.clusters), len(world.standbys)) == (1, 2)


def test_a_cluster_that_finishes_no_heartbeat_is_killed_and_started_anew(world, caplog):
    world.pass_time(LIMIT + 3, heartbeats=standby.ACCEPTED)
    assert world.clusters[0].killed
    assert len(world.clusters) == 2
    assert "The cluster is frozen. It is started anew." in caplog.text


def test_a_cluster_whose_sentinel_hangs_is_killed_and_started_anew(world):
    world.clusters[0].said += cluster.FINISHED
    world.pass_time(LIMIT + 3, rounds=False)
    assert world.clusters[0].killed
    assert len(world.clusters) == 2


def test_a_cluster_is_not_blamed_for_a_broker_that_is_away(world):
    world.pass_time(10 * LIMIT, heartbeats=standby.REFUSED)
    assert len(world.clusters) == 1


def test_a_new_cluster_gets_the_whole_time_to_answer(world):
    world.pass_time(LIMIT + 3, heartbeats=standby.ACCEPTED)
    world.pass_time(LIMIT - 5, heartbeats=standby.ACCEPTED)
    assert len(world.clusters) == 2
    world.pass_time(10, heartbeats=standby.ACCEPTED)
    assert len(world.clusters) == 3


def test_a_cluster_that_ends_early_again_and_again_is_started_with_growing_pauses(world):
    started = []
    while len(world.clusters) < 8:
        count = len(world.clusters)
        world.clusters[-1].ended = True
        world.pass_time(1)
        began = world.at
        while len(world.clusters) == count:
            world.pass_time(1)
        started.append(world.at - began)
    assert started == [1, 2, 4, 8, 16, MOST_WAIT, MOST_WAIT]


def test_stopping_asks_both_and_then_kills_what_is_left(world):
    world.supervisor.stop()
    assert all(process.asked and process.killed for process in (*world.clusters, *world.standbys))


def test_stopping_has_an_end(world, monkeypatch):
    monkeypatch.setattr(
        "notifications.delivery.supervisor.time.sleep", lambda seconds: setattr(world, "at", world.at + 1)
    )
    world.clusters[0].ask_to_stop = lambda: None
    began = world.at
    world.supervisor.stop(patience=17)
    assert 17 <= world.at - began < 20
    assert world.clusters[0].killed


# -- the processes themselves --


def until(condition):
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def gone(pid):
    """Ended, whether or not its exit code has been taken."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def start():
    children = []

    def start(work):
        children.append(Child(work))
        return children[-1]

    yield start
    for child in children:
        if not gone(child.pid):
            child.kill()


def obey(link):
    link.note(b"hello")
    while not link.told_to_stop(wait=5):
        pass


def test_a_child_notes_things_to_its_parent_and_ends_when_asked_to(start):
    child = start(obey)
    heard = []
    until(lambda: heard.append(child.notes()) or b"".join(heard) == b"hello")
    assert not child.has_ended()
    child.ask_to_stop()
    until(child.has_ended)
    child.kill()


def test_killing_a_child_ends_its_group(start):
    def work(link):
        grandchild = os.fork()
        link.note(b"%d." % (grandchild or os.getpid()))
        time.sleep(60)

    child = start(work)
    heard = []
    until(lambda: heard.append(child.notes()) or b"".join(heard).count(b".") == 2)
    (grandchild,) = {int(pid) for pid in b"".join(heard).split(b".") if pid} - {child.pid}
    child.kill()
    until(lambda: gone(grandchild))


def test_a_child_that_fails_ends(start, caplog):
    child = start(lambda link: 1 / 0)
    until(child.has_ended)
    child.kill()


def test_the_end_of_the_parent_ends_the_child(start):
    def work(link):
        inner = Child(obey)
        link.note(b"%d." % inner.pid)
        time.sleep(60)

    child = start(work)
    heard = []
    until(lambda: heard.append(child.notes()) or b"".join(heard).endswith(b"."))
    inner = int(b"".join(heard)[:-1])
    assert not gone(inner)
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: gone(inner))
    child.kill()


def test_a_parent_that_ends_with_notes_unread_says_stop():
    ours, theirs = socket.socketpair()
    link = Link(theirs)
    link.note(b"hello")
    ours.close()
    assert link.told_to_stop(wait=0)
    theirs.close()


def test_a_child_that_fails_leaves_nothing_of_its_group_behind_even_when_nobody_kills_it(start):
    def work(link):
        grandchild = os.fork()
        if grandchild:
            link.note(b"%d." % grandchild)
            raise SystemExit(1)
        time.sleep(60)

    child = start(work)
    heard = []
    until(lambda: heard.append(child.notes()) or b"".join(heard).endswith(b"."))
    until(lambda: gone(int(b"".join(heard)[:-1])))
    child.kill()


def test_a_child_that_takes_its_time_does_not_keep_its_brother_from_seeing_the_parents_end(start):
    def work(link):
        brothers = [Child(obey), Child(lambda link: time.sleep(60))]
        link.note(b"%d.%d." % tuple(each.pid for each in brothers))
        time.sleep(60)

    child = start(work)
    heard = []
    until(lambda: heard.append(child.notes()) or b"".join(heard).count(b".") == 2)
    obedient, slow = (int(pid) for pid in b"".join(heard).split(b".") if pid)
    os.kill(child.pid, signal.SIGKILL)
    try:
        until(lambda: gone(obedient))
    finally:
        os.kill(slow, signal.SIGKILL)
    child.kill()


def test_exit_codes_of_orphans_are_taken_and_ours_are_left(start):
    ours = start(lambda link: None)
    until(ours.has_ended)
    _reap_orphans({ours.pid})
    assert ours.has_ended()
    ours.kill()
    orphan = os.fork()
    if orphan == 0:
        os._exit(0)
    until(lambda: gone(orphan))
    _reap_orphans(set())
    with pytest.raises(ChildProcessError):
        os.waitpid(orphan, 0)
