"""The markup of chat messages as pieces of text with a look: enough to see what a reader would see. Pure.

Pieces are text, never HTML. Only what the providers themselves make bold, code or a link becomes so here: escaped marks
stay text, so a missing escape shows on the page.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    bold: bool = False
    code: bool = False
    url: str = ""


# After a zero-width space or white space a mark opens nothing in Slack.
_OPEN = r"(?![\s\u200b])"
_MRKDWN = re.compile(
    rf"```(?P<pre>.+?)```|`{_OPEN}(?P<code>[^`\n]+)`|<(?P<url>https?://[^|>\s]+)(?:\|(?P<label>[^>\n]*))?>"
    rf"|(?<!\w)\*{_OPEN}(?P<bold>[^*\n]+)\*(?!\w)",
    re.DOTALL,
)
_MARKDOWN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])|\*\*(?P<bold>[^*\n]+)\*\*|`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>(?:\\.|[^\]\\\n])+)\]\((?P<url>https?://[^\s)]+)\)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain(text: str) -> tuple[Span, ...]:
    return (Span(text),) if text else ()


def mrkdwn(text: str) -> tuple[Span, ...]:
    """Slack's: `*bold*`, `` `code` ``, `<url|label>`, and &amp; &lt; &gt; as escapes."""
    return _spans(_MRKDWN, text, html.unescape)


def markdown(text: str) -> tuple[Span, ...]:
    """Discord's and Teams': `**bold**`, `` `code` ``, `[label](url)`, and a backslash as escape."""
    return _spans(_MARKDOWN, text, lambda part: _ESCAPED.sub(r"\1", part))


def link(url: object) -> str:
    """The URL where it is one that a page may link to, else nothing."""
    try:
        return url if isinstance(url, str) and urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _spans(pattern: re.Pattern[str], text: str, unescape: Callable[[str], str]) -> tuple[Span, ...]:
    spans: list[Span] = []
    words = ""
    end = 0
    for match in pattern.finditer(text):
        words += text[end : match.start()]
        end = match.end()
        found = match.groupdict()
        if found.get("escaped"):
            words += match[0]
            continue
        spans += plain(unescape(words))
        words = ""
        if found["url"]:
            spans.append(Span(unescape(found["label"] or found["url"]), url=link(unescape(found["url"]))))
        elif found["bold"]:
            spans.append(Span(unescape(found["bold"]), bold=True))
        else:
            spans.append(Span(unescape(found.get("pre") or found["code"] or ""), code=True))
    return (*spans, *plain(unescape(words + text[end:])))
