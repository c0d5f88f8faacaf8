"""Failures on request: the next posts to the sandbox are answered with an error, to see retries at work.

Kept in memory: the receiver is one process with threads, and a restart forgets them.
"""

import threading

STATUSES = (503, 500, 429, 410)
MOST = 100

_lock = threading.Lock()
_status = STATUSES[0]
_left = 0


def ask(status: int, count: int) -> None:
    """Answer the next `count` posts with `status`."""
    global _status, _left
    with _lock:
        _status, _left = status, count


def take() -> int | None:
    """The status to answer this post with, or None when it is to be answered as usual."""
    global _left
    with _lock:
        if _left == 0:
            return None
        _left -= 1
        return _status


def waiting() -> int:
    """How many posts will still fail."""
    return _left
