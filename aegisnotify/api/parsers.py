"""Strict JSON: what a body says must be unambiguous and storable, or nothing of it is used.

Python's own reader takes the last of two equal keys, accepts NaN, turns 1e400 into infinity and passes NUL and halves
of surrogate pairs on to a database that refuses them. Each of these is a 400 that names the place.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from django.http import UnreadablePostError
from rest_framework.parsers import BaseParser

from aegisnotify.errors import Invalid, TooLarge

DEFAULT_BODY_LIMIT = 64 * 1024
MAX_DEPTH = 64
# What is wrong with the body as a whole stands under this name.
BODY = "body"

_MAX_NAMED = 20
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
# Only an escape can smuggle NUL or half a surrogate pair in: UTF-8 excludes the one, JSON the other.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class MalformedJSON(Invalid):
    """The body is not JSON that we take. Details name the places as far as they are known."""


class _Doubled(dict[str, Any]):
    """An object in which keys were given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.doubled = {key for key, times in Counter(key for key, _ in pairs).items() if times > 1}


class _BadNumber:
    """Stands in the tree for a number that we don't take, until the walk has found its path."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence


class StrictJSONParser(BaseParser):
    """A JSON object of at most `view.body_limit` bytes (64 KB unless the view says otherwise).

    Raises `TooLarge` without reading when Content-Length says so, and after limit + 1 bytes when it lied.
    """

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        context = parser_context or {}
        view = context.get("view")
        limit = getattr(view, "body_limit", DEFAULT_BODY_LIMIT)
        request = context.get("request")
        announced = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
        if announced.isdecimal() and int(announced) > limit:
            raise _too_large(limit)
        try:
            data = stream.read(limit + 1)
        except UnreadablePostError as error:
            raise MalformedJSON({BODY: ["The connection broke before the whole body arrived."]}) from error
        if len(data) > limit:
            raise _too_large(limit)
        value = loads(data)
        if not isinstance(value, dict):
            raise MalformedJSON({BODY: ["A JSON object is expected."]})
        return value


def loads(data: bytes) -> Any:
    """What `data` says, as `json.loads` would read it; no data at all says `{}`.

    Raises `MalformedJSON` for invalid UTF-8, malformed JSON, keys given twice, NaN and infinity (1e400 too), integers
    beyond 64 bits, NUL, lone surrogates, and nesting deeper than 64.
    """
    if not data:
        return {}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedJSON({BODY: [f"Not valid UTF-8 at byte {error.start}."]}) from error
    suspicious = _SUSPECT_ESCAPE.search(text) is not None

    def suspect(value: Any) -> Any:
        nonlocal suspicious
        suspicious = True
        return value

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        return found if len(found) == len(items) else suspect(_Doubled(items))

    def integer(digits: str) -> Any:
        if len(digits) < 19:
            return int(digits)
        if len(digits) <= 20 and _SMALLEST <= (number := int(digits)) <= _LARGEST:
            return number
        return suspect(_BadNumber("An integer of at most 64 bits is expected."))

    def fraction(digits: str) -> Any:
        number = float(digits)
        return number if math.isfinite(number) else suspect(_BadNumber("The number is too large."))

    def constant(name: str) -> Any:
        return suspect(_BadNumber(f"{name} is not a JSON number."))

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_int=integer, parse_float=fraction, parse_constant=constant
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJSON({BODY: [f"Not valid JSON: {error.msg} ({where})."]}) from error
    except RecursionError as error:
        raise _too_deep() from error
    if _depth_exceeds(value, MAX_DEPTH):
        raise _too_deep()
    if suspicious:
        problem = _judged(value)
        if problem is not None:
            raise problem
    return value


def _judged(value: Any) -> MalformedJSON | None:
    """The error that `value` deserves, naming at most 20 places, or None."""
    fields: dict[str, list[str]] = {}
    for path, sentence in _problems(value, ""):
        fields.setdefault(path, [sentence])
        if len(fields) == _MAX_NAMED:
            break
    return MalformedJSON(fields) if fields else None


def _depth_exceeds(value: Any, limit: int) -> bool:
    """Level by level over the containers only: every body passes here, and the walk with paths is far slower."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _problems(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The path of everything that we don't take, with the sentence about it."""
    if isinstance(value, _BadNumber):
        yield path or BODY, value.sentence
    elif isinstance(value, str):
        if problem := _problem_of(value):
            yield path or BODY, problem
    elif isinstance(value, dict):
        for key, child in value.items():
            here = _join(path, key)
            if isinstance(value, _Doubled) and key in value.doubled:
                yield here, "The key is given more than once."
            if problem := _problem_of(key):
                yield here, f"The key: {problem}"
            yield from _problems(child, here)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _problems(child, _join(path, str(position)))


def _problem_of(text: str) -> str | None:
    if "\0" in text:
        return "The character NUL is not allowed."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Half of a surrogate pair is not a character."
    return None


def _join(path: str, key: str) -> str:
    """Keys come from outside: in a path they are short and printable."""
    printable = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", key[:100])
    return f"{path}.{printable}" if path else printable


def _too_deep() -> MalformedJSON:
    return MalformedJSON({BODY: [f"Nested deeper than {MAX_DEPTH} levels."]})


def _too_large(limit: int) -> TooLarge:
    size = f"{limit // 1024} KB" if limit < 1024 * 1024 else f"{limit // (1024 * 1024)} MB"
    return TooLarge(f"The body is larger than {size}.", {"limit_bytes": limit})
