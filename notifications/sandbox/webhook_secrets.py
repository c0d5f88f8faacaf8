"""The secrets that the sandbox's webhook endpoint verifies with, by the name in its path (`/webhook/<name>`).

The quickstart writes them at each start, as any receiver is given its secret; the file is for this user alone.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings


def path() -> Path:
    return Path(settings.AEGIS_SANDBOX_DIR) / "webhook-secrets.json"


def write(secrets: Mapping[str, Sequence[str]]) -> None:
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = target.with_suffix(".partial")
    with open(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump({name: list(values) for name, values in secrets.items()}, file)
    partial.replace(target)


def read(name: str) -> tuple[str, ...]:
    """The secrets of this endpoint; none where the quickstart wrote none."""
    try:
        return tuple(json.loads(path().read_text(encoding="utf-8")).get(name, ()))
    except FileNotFoundError:
        return ()
