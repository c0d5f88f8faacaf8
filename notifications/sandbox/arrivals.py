"""What arrived, as files: one JSON file each, named in the order of arrival, the oldest dropped.

The receiver's threads and the mail backend in other processes write at the same time, so a lock on a file orders them.
Under it names only ever grow: whoever has seen a name has seen all smaller ones.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from aegisnotify.clock import now

KEPT = 500


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the receiver looked at. `ok` is None when it could not tell."""

    ok: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request or a mail. `status` and `answer` are what the receiver answered; `html` is a mail's second part.

    `number` (nanoseconds since 1970, made unique) is its name and its place in the order.
    """

    kind: str
    headers: Mapping[str, str]
    body: str
    target: str = ""
    html: str = ""
    status: int | None = None
    answer: str = ""
    checks: tuple[Check, ...] = ()
    number: int = 0
    at: datetime = field(default_factory=now)


def directory() -> Path:
    return Path(settings.AEGIS_SANDBOX_DIR) / "arrivals"


def store(arrival: Arrival) -> int:
    """Keep it, and only the last `KEPT`. Returns its number."""
    with _locked() as folder:
        known = _numbers(folder)
        number = max(int(arrival.at.timestamp() * 1_000_000) * 1000, known[-1] + 1 if known else 0)
        content = json.dumps(asdict(arrival) | {"number": number, "at": arrival.at.isoformat()})
        partial = folder / ".partial"
        # Mails carry signed links: for this user's eyes only.
        with open(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        partial.replace(_path(folder, number))
        for old in known[: max(0, len(known) + 1 - KEPT)]:
            _path(folder, old).unlink(missing_ok=True)
    return number


def newest(limit: int, *, before: int | None = None, after: int | None = None) -> list[Arrival]:
    """Up to `limit`, the newest first, of those with a smaller number than `before` and a larger one than `after`."""
    folder = directory()
    wanted = [
        number
        for number in _numbers(folder)
        if (before is None or number < before) and (after is None or number > after)
    ]
    found = (_read(_path(folder, number)) for number in reversed(wanted[-limit:]))
    return [arrival for arrival in found if arrival is not None]


def get(number: int) -> Arrival | None:
    return _read(_path(directory(), number))


def count() -> int:
    return len(_numbers(directory()))


def clear() -> None:
    with _locked() as folder:
        for number in _numbers(folder):
            _path(folder, number).unlink(missing_ok=True)


@contextlib.contextmanager
def _locked() -> Iterator[Path]:
    folder = directory()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdecimal())


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:020d}.json"


def _read(path: Path) -> Arrival | None:
    """None for one that was dropped meanwhile, or that another version wrote."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        checks = tuple(Check(**check) for check in stored.pop("checks"))
        return Arrival(**stored | {"checks": checks, "at": datetime.fromisoformat(stored["at"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
