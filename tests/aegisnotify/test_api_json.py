"""Reading bodies: what is ambiguous or can't be stored is refused, everything else is read as `json.loads` reads it."""

import io
import json
from types import SimpleNamespace

import pytest
from django.http import UnreadablePostError
from hypothesis import given, settings
from hypothesis import strategies as st

from aegisnotify.api.parsers import MalformedJSON, StrictJSONParser, loads
from aegisnotify.errors import TooLarge

REFUSED = {
    "invalid UTF-8": (b'{"a": "\xff"}', "body", "Not valid UTF-8 at byte 7."),
    "UTF-8 of half a pair": (b'{"a": "\xed\xa0\x80"}', "body", "Not valid UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "body", "Not valid UTF-8"),
    "cut off": (b'{"a": ', "body", "line 1, column"),
    "two values": (b"{} {}", "body", "Extra data"),
    "only spaces": (b"  ", "body", "Not valid JSON"),
    "a trailing comma": (b'{"a": 1,}', "body", "Not valid JSON"),
    "single quotes": (b"{'a': 1}", "body", "Not valid JSON"),
    "a raw control character": (b'{"a": "x\ny"}', "body", "Not valid JSON"),
    "raw NUL in a string": (b'{"a": "x\x00y"}', "body", "Not valid JSON"),
    "raw NUL outside": (b'{"a": 1}\x00', "body", "Not valid JSON"),
    "a key twice": (b'{"a": 1, "a": 1}', "a", "The key is given more than once."),
    "a nested key twice": (b'{"run": {"passed": 1, "x": 2, "passed": 3}}', "run.passed", "more than once"),
    "a key twice inside a list": (b'{"events": [{}, {"id": 1, "id": 2}]}', "events.1.id", "more than once"),
    "the same key, once escaped": (b'{"a": 1, "\\u0061": 2}', "a", "more than once"),
    "NaN": (b'{"run": {"passed": NaN}}', "run.passed", "NaN is not a JSON number."),
    "Infinity": (b'[1, Infinity]', "1", "Infinity is not a JSON number."),
    "-Infinity": (b'{"a": -Infinity}', "a", "-Infinity is not a JSON number."),
    "a number that becomes infinite": (b'{"a": 1e400}', "a", "too large"),
    "a negative one": (b'{"a": -1e400}', "a", "too large"),
    "65 bits": (b'{"a": 18446744073709551616}', "a", "64 bits"),
    "65 bits with a sign": (b'{"a": -9223372036854775809}', "a", "64 bits"),
    "5000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "a", "64 bits"),
    "NUL in a value": (b'{"run": {"name": "a\\u0000b"}}', "run.name", "NUL"),
    "NUL in a key": (b'{"run": {"a\\u0000b": 1}}', "run.a\\u0000b", "NUL"),
    "NUL in a list": (b'{"tags": ["ok", "\\u0000"]}', "tags.1", "NUL"),
    "half a pair": (b'{"a": "\\ud83d"}', "a", "surrogate"),
    "the wrong half": (b'{"a": "\\uDE00\\uD83D"}', "a", "surrogate"),
    "half a pair in a key": (b'{"\\ud83d": 1}', "\\ud83d", "surrogate"),
    "a bare NaN": (b"NaN", "body", "NaN"),
    "65 levels": (b"[" * 65 + b"]" * 65, "body", "Nested deeper than 64 levels."),
    "65 levels of objects": (b'{"a":' * 65 + b"1" + b"}" * 65, "body", "Nested deeper"),
    "deeper than Python can": (b"[" * 100_000 + b"]" * 100_000, "body", "Nested deeper"),
    "deeper than Python can, cut off": (b'{"a":' * 100_000, "body", "Nested deeper"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "path", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_json_is_refused_with_the_place_named(data, path, sentence):
    with pytest.raises(MalformedJSON) as caught:
        loads(data)
    assert list(caught.value.fields) == [path]
    assert sentence in caught.value.fields[path][0]
    json.dumps(caught.value.details, ensure_ascii=False).encode()  # the answer can be written


TAKEN = {
    "nothing": (b"", {}),
    "a pair": (b'"\\ud83d\\ude00"', "😀"),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    "the largest integer": (b"18446744073709551615", 2**64 - 1),
    "the smallest integer": (b"-9223372036854775808", -(2**63)),
    "a large but finite number": (b"1e308", 1e308),
    "64 levels": (b"[" * 64 + b"1" + b"]" * 64, None),
    "an escaped backslash before u0000": (b'"\\\\u0000"', "\\u0000"),
    "the same key on two levels": (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
    "an empty key": (b'{"": 1}', {"": 1}),
}


@pytest.mark.parametrize(("data", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_unusual_but_clear_json_is_taken(data, value):
    assert loads(data) == (value if value is not None else json.loads(data))


def test_all_places_are_named_up_to_a_score():
    data = json.dumps({f"k{n}": "\0" for n in range(50)}).encode()
    with pytest.raises(MalformedJSON) as caught:
        loads(data)
    assert list(caught.value.fields) == [f"k{n}" for n in range(20)]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
@settings(max_examples=100, deadline=None)
def test_valid_json_is_read_as_the_standard_library_reads_it(value, escaped):
    text = json.dumps(value, ensure_ascii=escaped)
    assert loads(text.encode()) == json.loads(text) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0123abdef+-.eENaInity', max_size=40).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused_and_never_break_anything(data):
    try:
        value = loads(data)
    except MalformedJSON:
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value


class Stream(io.BytesIO):
    asked = 0

    def read(self, size=-1):
        self.asked += size
        return super().read(size)


def parse(data, *, announced=None, **view):
    stream = Stream(data)
    request = SimpleNamespace(META={"CONTENT_LENGTH": str(len(data) if announced is None else announced)})
    try:
        return StrictJSONParser().parse(stream, None, {"view": SimpleNamespace(**view), "request": request}), stream
    except TooLarge as error:
        return error, stream


def test_a_body_that_announces_too_much_is_not_read():
    error, stream = parse(b'{"a": 1}', announced=64 * 1024 + 1)
    assert isinstance(error, TooLarge)
    assert error.message == "The body is larger than 64 KB."
    assert stream.asked == 0


def test_a_body_that_announced_less_is_read_to_one_byte_over_the_limit():
    error, stream = parse(b'{"a": "' + b"x" * 100 + b'"}', announced=10, body_limit=50)
    assert isinstance(error, TooLarge)
    assert stream.asked == 51


def test_a_body_of_exactly_the_limit_is_taken():
    data = b'{"a": "' + b"x" * 41 + b'"}'
    assert len(data) == 50
    assert parse(data, body_limit=50)[0] == {"a": "x" * 41}


def test_a_view_may_take_more():
    data = json.dumps({"a": "x" * 200_000}).encode()
    assert parse(data, body_limit=5 * 1024 * 1024)[0] == {"a": "x" * 200_000}
    error, _ = parse(b"", announced=6 * 1024 * 1024, body_limit=5 * 1024 * 1024)
    assert error.message == "The body is larger than 5 MB."


@pytest.mark.parametrize("data", [b"[]", b'"x"', b"1", b"null"])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(MalformedJSON, match="A JSON object is expected"):
        parse(data)


def test_a_connection_that_breaks_is_a_bad_request():
    class Broken:
        def read(self, size):
            raise UnreadablePostError("gone")

    with pytest.raises(MalformedJSON, match="connection broke"):
        StrictJSONParser().parse(Broken(), None, {})
