"""Lists: pages of results, and the parameters that narrow them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from aegisnotify.errors import Invalid

PAGE_SIZE = 20
MAX_PAGE_SIZE = 200
# Counting costs as many index entries as it counts; beyond this nobody needs the exact number.
COUNT_LIMIT = 10_000
# PostgreSQL and SQLite take 64-bit offsets; no table of ours has a row there.
_FARTHEST = 2**31

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)([Zz]|[+ -]\d{2}:?\d{2})", re.ASCII)

T = TypeVar("T", bound=Model)


def paginate(parameters: QueryDict, rows: QuerySet[T], present: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """The page of `rows` that the query string asks for. Give `rows` in a total order that an index has.

    `total` is exact up to 10,000; beyond, it is 10,000 and `total_capped` is true. A page past the end is empty. Raises
    `Invalid` for a `page` or `page_size` that is no whole number of at least 1, and for a size over 200.
    """
    errors: dict[str, list[str]] = {}
    page = _whole(parameters, "page", 1, None, errors)
    size = _whole(parameters, "page_size", PAGE_SIZE, MAX_PAGE_SIZE, errors)
    if errors:
        raise Invalid(errors)
    counted = rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()
    capped = counted > COUNT_LIMIT
    first = (page - 1) * size
    beyond = first > _FARTHEST if capped else first >= counted
    answer: dict[str, Any] = {"total": min(counted, COUNT_LIMIT), "page": page, "page_size": size}
    if capped:
        answer["total_capped"] = True
    answer["results"] = [] if beyond else [present(row) for row in rows[first : first + size]]
    return answer


def period(parameters: QueryDict) -> tuple[datetime | None, datetime | None]:
    """`since` (inclusive) and `until` (exclusive) in UTC. Raises `Invalid` naming each that is no moment."""
    errors: dict[str, list[str]] = {}
    moments: list[datetime | None] = []
    for name in ("since", "until"):
        text = parameters.get(name)
        try:
            moments.append(moment_of(text) if text is not None else None)
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return moments[0], moments[1]


def moment_of(text: str) -> datetime:
    """An ISO 8601 date and time with its offset, in UTC. Raises `ValueError` with a sentence.

    A space is read as the plus sign of the offset: that is what an unescaped plus becomes in a query string.
    """
    match = _MOMENT.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        return datetime.fromisoformat(match[1].upper() + match[2].upper().replace(" ", "+")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "Give a date and time with its offset, such as 2026-04-28T10:42:11Z or 2026-04-28T12:42:11+02:00."
        ) from None


def text_of(parameters: QueryDict, name: str) -> str | None:
    """The parameter, None where it is not given. Raises `Invalid` for NUL, which no database takes."""
    text = parameters.get(name)
    if text is not None and "\0" in text:
        raise Invalid({name: ["The character NUL is not allowed."]})
    return text


def _whole(parameters: QueryDict, name: str, default: int, highest: int | None, errors: dict[str, list[str]]) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    # Longer numbers are all past the end; int() refuses very long ones.
    number = int(text[:18]) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        errors[name] = ["A whole number of at least 1 is expected."]
    elif highest is not None and number > highest:
        errors[name] = [f"At most {highest}."]
    return number
