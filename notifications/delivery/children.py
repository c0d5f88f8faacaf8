"""Child processes of the worker: forked, so that they share its memory, each the leader of a process group.

A socket links parent and child. Its end says "stop" to the child, also when the parent was killed; what the child
writes are notes to the parent. A group (and session) of its own keeps a terminal's Ctrl-C away from it, and killing
the group leaves nothing behind.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable

logger = logging.getLogger(__name__)

# The parent's ends of all links. A child inherits copies of its brothers' and has to close them: while one is open, the
# brother does not see the parent's end, and would wait until this child has finished what it has in flight.
_parents_ends: set[socket.socket] = set()


class Link:
    """The child's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def told_to_stop(self, wait: float) -> bool:
        """Whether the parent said so, or is gone; waits up to `wait` seconds for that."""
        readable, _, _ = select.select([self._end], [], [], wait)
        try:
            return bool(readable) and not self._end.recv(1)
        except ConnectionResetError:
            # Killed before it had read all notes.
            return True

    def note(self, byte: bytes) -> None:
        """Tell the parent. A full socket has news enough, and a parent that is gone needs none."""
        with contextlib.suppress(OSError):
            self._end.send(byte, socket.MSG_DONTWAIT)


class Child:
    """The parent's side: forks on the spot. The parent must have neither threads nor connections at that moment."""

    def __init__(self, work: Callable[[Link], None]) -> None:
        self._end, theirs = socket.socketpair()
        self._end.setblocking(False)
        _parents_ends.add(self._end)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for end in _parents_ends:
                end.close()
            _parents_ends.clear()
            _be_child(work, theirs)
        theirs.close()

    def has_ended(self) -> bool:
        # Looked at without reaping it: its number is that of the group, which must stay ours until the group is killed.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def notes(self) -> bytes:
        """What it wrote since the last call."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            return self._end.recv(65536)
        return b""

    def ask_to_stop(self) -> None:
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End it and its whole group now."""
        for end in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError):
                end(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        _parents_ends.discard(self._end)
        self._end.close()


def _be_child(work: Callable[[Link], None], end: socket.socket) -> None:
    """Never returns: what the parent has on its stack is not the child's business."""
    code = 1
    try:
        os.setsid()
        work(Link(end))
        code = 0
    except Exception:
        logger.exception("A process of the worker failed.")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if code and os.getpgrp() == os.getpid():
            # The parent would do it. But it may be gone, too, and the rest of the group would work on as orphans.
            os.killpg(0, signal.SIGKILL)
        os._exit(code)
