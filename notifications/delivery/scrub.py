"""Keeping our own secrets out of what is stored of an answer (pure)."""

import functools
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

MASK = "•••"
KEPT = 4096
_SECRET_SETTINGS = ("url", "secret", "next_secret")
# Of generated signing secrets: what follows is the key, and may be shown alone.
_PREFIX = "whsec_"
# PostgreSQL stores no NUL, UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Shorter parts of a URL ("api", "v10") are no secrets, and masking them would garble ordinary words.
_SHORTEST_SECRET = 8


def secrets_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of a configuration that must not be kept: URLs, their long path segments and query values, secrets."""
    return _secrets_in(*(str(config.get(name) or "") for name in _SECRET_SETTINGS))


# Every attempt asks, and a batch is mostly to the same few channels.
@functools.lru_cache(maxsize=512)
def _secrets_in(*values: str) -> tuple[str, ...]:
    found: set[str] = set()
    for name, value in zip(_SECRET_SETTINGS, values, strict=True):
        if not value:
            continue
        found.add(value)
        if name == "url":
            # By hand: urlsplit raises for what is no URL, and every text has to come through here.
            _, slash, path_and_query = value.partition("://")[2].partition("#")[0].partition("/")
            path, _, query = path_and_query.partition("?")
            found.add(slash + path_and_query)
            pieces = [*path.split("/"), *(piece.partition("=")[2] for piece in query.split("&"))]
            found.update(piece for piece in pieces if len(piece) >= _SHORTEST_SECRET)
        elif value.startswith(_PREFIX):
            found.add(value.removeprefix(_PREFIX))
    variants = {form for text in found for form in _forms(text) if len(form) >= 2}
    return tuple(sorted(variants, key=len, reverse=True))


def _forms(text: str) -> Iterator[str]:
    """The text as it is, and as it stands in URLs, in JSON (whose writers may escape slashes and all that is not ASCII)
    and in HTML."""
    yield from (text, quote(text, safe=""), unquote(text), html.escape(text))
    for ensure_ascii in (True, False):
        escaped = json.dumps(text, ensure_ascii=ensure_ascii)[1:-1]
        yield from (escaped, escaped.replace("/", "\\/"))


def scrub(text: str, secrets: Iterable[str], limit: int = KEPT) -> str:
    """`text` fit to be stored: secrets masked, unstorable characters replaced, at most `limit` characters."""
    # Secrets go first: cutting first could leave the readable half of one at the edge.
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _UNSTORABLE.sub("�", text)[:limit]
