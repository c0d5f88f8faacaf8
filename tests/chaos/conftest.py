"""The two ways to run: `sqlite` alone, and `postgresql` with Redis, both started for the test."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.chaos import servers
from tests.chaos.receivers import Receiver
from tests.chaos.stack import WORKER, Stack


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    if request.param == "postgresql" and (reason := servers.missing()):
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return request.param


@pytest.fixture
def receiver():
    # Long enough for tries to be in flight when their process is killed.
    made = Receiver(delay=0.03)
    yield made
    made.close()


@pytest.fixture
def directory():
    # Not pytest's: that one is closed to the user PostgreSQL runs as, and other sessions tidy it up.
    with tempfile.TemporaryDirectory(prefix="aegisnotify-chaos-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def start_stack(directory):
    """Makes an installation with a webhook for each of the named URLs; shows its logs when the test fails."""
    made = []

    def start(kind, urls, worker=WORKER):
        made.append(Stack(kind, directory, urls, worker))
        return made[-1]

    yield start
    for stack in made:
        stack.close()
        for command in (stack.web, stack.worker, stack.sender):
            if command.log_path.exists():
                print(f"--- {command.name}\n{command.log[-4000:]}")
