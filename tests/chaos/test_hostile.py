"""Receivers that misbehave cost nobody else anything, and each try says what happened."""

import os
import statistics
import time

import pytest

from tests.chaos.receivers import hostile
from tests.chaos.servers import wait_until
from tests.chaos.stack import Family, Poster

pytestmark = pytest.mark.chaos

SECONDS = 120 if os.environ.get("AEGIS_CHAOS_ROUNDS") else 12
# The first drain makes its threads and connections.
WARM_UP = 4
RATE = 20
HEALTHY = ("one", "two", "three")

# Outcome, status and a part of the sentence of each one's first try.
READINGS = {
    "hangs": ("retry", None, "did not answer in time"),
    "drips": ("retry", None, "did not answer in time"),
    "resets": ("retry", None, "closed without an answer"),
    "gigabyte": ("ok", 200, "answered 200"),
    "redirects": ("retry", 302, "redirects are never followed"),
    "bad-tls": ("retry", None, "The certificate is self-signed"),
    "busy": ("retry", 429, "asked to wait 3,600 seconds"),
}


@pytest.fixture
def bad(directory, start_stack):
    # Closed before the installation is, so that no try in flight keeps that waiting.
    made = hostile(directory)
    yield made
    for server in made.values():
        server.close()


def test_hostile_receivers_cost_nobody_else_anything(kind, receiver, start_stack, bad):
    urls = {name: server.url for name, server in bad.items()} | {name: f"{receiver.url}/{name}" for name in HEALTHY}
    stack = start_stack(kind, urls)
    stack.web.start()
    stack.worker.start()
    stack.wait_for_web()
    wait_until(lambda: Family(stack.worker.pid).is_complete, "the worker's processes are there")
    p95 = p95_of_the_healthy(stack, receiver)

    # The tries that take longest are under way since the first event.
    wait_until(lambda: set(stack.ask("readings")) >= set(READINGS), "every receiver has been tried", every=1)
    readings = stack.ask("readings")
    for name in READINGS:
        print(f"{name}: {readings[name][0]}")
    for name, (outcome, status, words) in READINGS.items():
        first = readings[name][0]
        assert (first[0], first[1]) == (outcome, status), name
        assert words in first[2], name
    assert all(entry[0] == "ok" for name in HEALTHY for entry in readings[name])
    if p95 >= 1:
        # Nobody can say what the bad ones cost without knowing what as many healthy ones cost on this machine.
        stack.ask("replace", {name: f"{receiver.url}/instead-of-{name}" for name in bad})
        assert p95 < 1.5 * p95_of_the_healthy(stack, receiver, "control")


def p95_of_the_healthy(stack, receiver, events="scan"):
    """Of the seconds from accepted to received, at the rate and for the time of this test."""
    paths = {f"/hook/{name}" for name in HEALTHY}
    poster = Poster(stack, RATE, prefix=events).start()
    time.sleep(WARM_UP)
    warm = time.monotonic()
    time.sleep(SECONDS)
    poster.stop()
    assert poster.refused == []
    wait_until(
        lambda: all(paths <= receiver.occurrences[name].keys() for name in list(poster.accepted)),
        "the healthy ones have all",
    )
    seconds = sorted(
        receiver.arrived_at(name, path) - accepted
        for name, accepted in poster.accepted.items()
        for path in paths
        if accepted >= warm
    )
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(
        f"\n{len(seconds)} deliveries to healthy channels: p50 {statistics.median(seconds) * 1000:.0f} ms, "
        f"p95 {p95 * 1000:.0f} ms, slowest {seconds[-1] * 1000:.0f} ms"
    )
    return p95
