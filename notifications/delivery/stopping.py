"""Being told to stop: by a terminal (SIGINT), by systemd or Docker (SIGTERM)."""

import signal
import threading
from typing import Protocol

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})


class Stop(Protocol):
    """What long work looks at between its steps. `threading.Event` is one."""

    def is_set(self) -> bool: ...


class Flag:
    """A `Stop` that a signal handler may set. Of an `Event` the lock may be held by what the signal interrupts."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


def on_signals() -> threading.Event:
    """An event that is set when this process is told to stop.

    Call it in the main thread before others start: the signals are blocked in all of them, and one thread waits for
    them. So none interrupts anything, and as PID 1 of a container, where the kernel drops signals without a handler,
    they count too. Child processes inherit the block.
    """
    stop = threading.Event()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def wait() -> None:
        signal.sigwait(SIGNALS)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop
