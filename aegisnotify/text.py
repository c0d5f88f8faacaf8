"""Text from outside, made fit for a line of ours. Pure."""

import re
import unicodedata

_UNSAFE_CATEGORIES = {"Cc", "Cs", "Co", "Cn"}
# Characters that reorder what follows them (Unicode TR 9): RTL names need none of them, spoofed ones do.
_BIDI_CONTROLS = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
_SPACES = re.compile(r"\s+")
# Mail programs make links of what looks like one. An invisible word joiner (U+2060) stops them without moving a letter.
_LINK_STARTS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_DOTS = re.compile(r"(?<=\w)(?=\.[^\W\d_])")


def clean_text(value: object) -> str:
    """One line of text: no control, surrogate, private or bidi-control characters; white space folded."""
    text = _SPACES.sub(" ", str(value if value is not None else ""))
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = (
        character
        for character in text
        if unicodedata.category(character) not in _UNSAFE_CATEGORIES and character not in _BIDI_CONTROLS
    )
    return "".join(kept).strip()


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"[:limit]


def unlinked(text: str, *, domains: bool = False) -> str:
    """Text from outside in which no mail program finds a URL to make a link of; `domains`: nor a bare `a.example`."""
    text = _LINK_STARTS.sub("\u2060", text)
    return _DOTS.sub("\u2060", text) if domains else text


def counted(count: int, noun: str) -> str:
    """`1 project`, `3 projects`, `3 tries`; in templates `{{ count|counted:"project" }}`."""
    if count == 1:
        return f"{count:,} {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}s"
