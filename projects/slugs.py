"""Slugs that are free."""

from collections.abc import Callable
from itertools import count


def free_slug(wanted: str, taken: Callable[[str], bool], *, limit: int = 60) -> str:
    """`wanted`, or the first of `wanted-2`, `wanted-3`, … that is not taken, within `limit` characters."""
    wanted = wanted[:limit].strip("-")
    if not taken(wanted):
        return wanted
    for number in count(2):
        suffix = f"-{number}"
        candidate = wanted[: limit - len(suffix)] + suffix
        if not taken(candidate):
            return candidate
    raise AssertionError("count() does not end")
