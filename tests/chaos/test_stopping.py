"""Being told to stop while messages are in flight, in every way a terminal, systemd or Docker does it."""

import os
import signal
import subprocess
import time

import pytest

from tests.chaos.receivers import Receiver
from tests.chaos.servers import wait_until
from tests.chaos.stack import ROOT, WORKER, Family, Stack, alive

pytestmark = pytest.mark.chaos

WAITING = 40


@pytest.fixture(scope="module")
def slow():
    made = Receiver(delay=2.0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory, slow):
    made = Stack("sqlite", tmp_path_factory.mktemp("stopping"), {"slow": slow.url})
    yield made
    made.close()


@pytest.fixture
def stack(installation, slow):
    """With deliveries that are due, more than can be sent before anybody is told to stop."""
    installation.ask("queue", WAITING)
    slow.forget()
    return installation


def nothing_is_lost(stack, slow):
    """What was in flight was finished and stored, the rest was given back as if it had never been touched."""
    unfinished = stack.ask("unfinished")
    assert set(unfinished) == {"pending"}
    waiting, tries = unfinished["pending"]
    assert tries == 0
    assert waiting == WAITING - len(slow.arrivals) > 0
    assert slow.repeated() == 0


def start_worker(stack, slow):
    stack.worker.start()
    wait_until(lambda: len(slow.arrivals) >= 2, "something is in flight")
    wait_until(lambda: Family(stack.worker.pid).is_complete, "the worker's processes are there")
    return Family(stack.worker.pid).all


def like_docker(pids):
    os.kill(pids[0], signal.SIGTERM)


def like_systemd(pids):
    for pid in pids:
        os.kill(pid, signal.SIGTERM)


def like_a_terminal(pids):
    """Ctrl-C for the foreground group; the worker was started as the leader of one."""
    os.killpg(pids[0], signal.SIGINT)


@pytest.mark.parametrize("tell", [like_docker, like_systemd, like_a_terminal])
def test_the_worker_finishes_what_is_in_flight_and_leaves_no_process(stack, slow, tell):
    pids = start_worker(stack, slow)
    began = time.monotonic()
    tell(pids)
    assert stack.worker.process.wait(25) == 0
    print(f"stopped after {time.monotonic() - began:.1f} s")
    assert alive(pids) == []
    nothing_is_lost(stack, slow)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sender_finishes_what_is_in_flight(stack, slow, number):
    stack.sender.start()
    wait_until(lambda: len(slow.arrivals) >= 2, "something is in flight")
    code, seconds = stack.sender.stop(number)
    print(f"stopped after {seconds:.1f} s")
    assert code == 0
    nothing_is_lost(stack, slow)


def test_a_worker_that_is_pid_1_takes_the_exit_codes_of_orphans_and_stops_when_told(stack, slow):
    namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs a PID namespace, which only root may make")
    stack.ask("queue", 0)
    process = subprocess.Popen([*namespace, *WORKER], cwd=ROOT, env=stack.env)
    try:
        wait_until(lambda: Family(Family(process.pid).master).is_complete, "the worker's processes are there")
        init = Family(process.pid).master
        before = Family(init)
        os.kill(before.master, signal.SIGKILL)
        wait_until(lambda: not _exist(before.below), "nothing is left of the cluster, not even zombies")
        wait_until(lambda: Family(init).is_complete, "the cluster is started anew")
        stack.ask("queue", WAITING)
        wait_until(lambda: len(slow.arrivals) >= 2, "something is in flight")
        os.kill(init, signal.SIGTERM)
        process.wait(25)
    finally:
        process.kill()
        process.wait()
    nothing_is_lost(stack, slow)


def _exist(pids):
    """Also as zombies."""
    return any(os.path.exists(f"/proc/{pid}") for pid in pids)
