"""Reading the environment: plain values, secrets from files, keys of an embedded installation.

`NAME_FILE` names a file whose content is the value of `NAME` (the convention of container secrets).
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def secret(name: str, default: str = "") -> str:
    """The value of `name`, or the content of the file that `<name>_FILE` names, or `default`."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} can't be read ({error.strerror}).") from error
    return os.environ.get(name, default)


def kept_secret(name: str, *, directory: Path, embedded: bool, generate: Callable[[], str]) -> str:
    """A secret that an embedded installation makes for itself and keeps in its data directory.

    One machine with SQLite has one data directory, so a generated key is safe there. With a database server there may
    be several machines, and keys that differ between them would break sessions and stored secrets: refuse to start.
    """
    value = secret(name)
    if value:
        return value
    if not embedded:
        raise ImproperlyConfigured(
            f"{name} is missing. With DATABASE_URL set, every process needs the same value: "
            f"set {name}, or {name}_FILE to a file that holds it."
        )
    path = directory / f"{name.lower()}.txt"
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        pass
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / f".{name.lower()}.{os.getpid()}.{secrets.token_hex(4)}"
    with open(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(generate())
    try:
        # link() fails when the file is there already, so of two processes starting at once both use the first one's.
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return path.read_text(encoding="utf-8").strip()
