"""Rotating the secret in two steps, on the channel's configuration. Pure.

First the new secret is staged: the old one goes on signing, the new one signs beside it, and receivers can be changed
one after the other. Then it is activated and only the new one signs.
"""

from collections.abc import Mapping
from typing import Any

from notifications.channels.webhook import secret as secrets

DEFAULT_GRACE_HOURS = 24
LONGEST_GRACE_HOURS = 7 * 24


class AlreadyStaged(Exception):
    """One secret can be staged at a time."""


class NothingStaged(Exception):
    """There is no secret to activate."""


def is_staged(config: Mapping[str, Any]) -> bool:
    return bool(config.get("next_secret"))


def stage(config: Mapping[str, Any], secret: str | None = None) -> tuple[dict[str, Any], str | None]:
    """The configuration with a staged secret, and that secret if it was generated here, to be shown once.

    A given one has passed `secret.problem`. Raises `AlreadyStaged`.
    """
    if is_staged(config):
        raise AlreadyStaged
    generated = None if secret else secrets.generate()
    return {**config, "next_secret": secret or generated}, generated


def activate(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration in which the staged secret is the only one. Raises `NothingStaged`."""
    if not is_staged(config):
        raise NothingStaged
    kept = {name: value for name, value in config.items() if name != "next_secret"}
    return {**kept, "secret": config["next_secret"]}
