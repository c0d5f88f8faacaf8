"""Child processes of the quickstart: started, watched and stopped; each with a log file and a process group of its own.

Own groups, because a terminal's Ctrl-C goes to the whole group, and the children are to stop in order, not at once.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 20


class Child:
    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(log, "wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def tail(self) -> str:
        """The last lines it said."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])

    def stop(self, patience: float) -> None:
        """Ask it to end, and after `patience` seconds end it. What is left of its group goes with it."""
        if self.exit_code is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
