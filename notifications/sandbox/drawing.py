"""A posted message as what its provider would draw: a headline and parts, each a few pieces of text. Pure.

It reads the payload alone, as the provider has to, and takes any JSON: what it does not know it leaves out.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from notifications.channels.teams.rendering import STYLES
from notifications.channels.tones import COLOURS
from notifications.sandbox.markup import Span, link, markdown, mrkdwn, plain

_TONE_OF_COLOUR = {colour: tone.value for tone, colour in COLOURS.items()}
_TONE_OF_STYLE = {style: tone.value for tone, style in STYLES.items()}
# Deeper than any card is nested, and short of Python's limit.
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Part:
    """`look` is heading, text, small, grid or buttons. A grid and buttons have several cells, the others one."""

    look: str
    cells: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    sender: str
    headline: tuple[Span, ...]
    tone: str
    parts: tuple[Part, ...]


def draw(kind: str, body: str) -> Drawing | None:
    """None for what can't be drawn."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    painter = _PAINTERS.get(kind)
    return painter(payload) if painter and isinstance(payload, dict) else None


def _slack(payload: Mapping[str, Any]) -> Drawing:
    attachments = _dicts(payload.get("attachments"))
    colour = _text(attachments[0].get("color")).removeprefix("#") if attachments else ""
    tone = _TONE_OF_COLOUR.get(int(colour, 16), "") if _is_hex(colour) else ""
    blocks = [*_dicts(payload.get("blocks")), *(block for each in attachments for block in _dicts(each.get("blocks")))]
    parts = tuple(part for block in blocks for part in _slack_block(block))
    # Blocks at the top stand in for the text, which then is for notifications alone.
    headline = () if payload.get("blocks") else mrkdwn(_text(payload.get("text")))
    return Drawing("AegisRunner", headline, tone, parts)


def _slack_block(block: Mapping[str, Any]) -> Iterator[Part]:
    match block.get("type"):
        case "header":
            yield Part("heading", (_slack_text(block.get("text")),))
        case "section":
            if block.get("text"):
                yield Part("text", (_slack_text(block["text"]),))
            if fields := _dicts(block.get("fields")):
                yield Part("grid", tuple(_slack_text(field) for field in fields))
        case "context":
            yield Part("small", (_joined(_slack_text(each) for each in _dicts(block.get("elements"))),))
        case "actions":
            yield _buttons((_slack_words(each.get("text")), each.get("url")) for each in _dicts(block.get("elements")))


def _slack_text(value: Any) -> tuple[Span, ...]:
    if isinstance(value, dict) and value.get("type") == "mrkdwn":
        return mrkdwn(_text(value.get("text")))
    return plain(_slack_words(value))


def _slack_words(value: Any) -> str:
    # In plain text, too, the three characters come escaped.
    text = _text(value.get("text")) if isinstance(value, dict) else ""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _discord(payload: Mapping[str, Any]) -> Drawing:
    embeds = _dicts(payload.get("embeds"))
    colour = embeds[0].get("color") if embeds else None
    tone = _TONE_OF_COLOUR.get(colour, "") if isinstance(colour, int) else ""
    parts = tuple(part for embed in embeds for part in _embed(embed))
    return Drawing(_text(payload.get("username")) or "Webhook", markdown(_text(payload.get("content"))), tone, parts)


def _embed(embed: Mapping[str, Any]) -> Iterator[Part]:
    author, footer = embed.get("author"), embed.get("footer")
    if isinstance(author, dict):
        yield Part("small", (plain(_text(author.get("name"))),))
    if title := _text(embed.get("title")):
        url = link(embed.get("url"))
        spans = markdown(title)
        yield Part("heading", (tuple(Span(span.text, url=url) for span in spans) if url else spans,))
    if description := _text(embed.get("description")):
        yield Part("text", (markdown(description),))
    fields = [(_fact(field.get("name"), field.get("value")), field) for field in _dicts(embed.get("fields"))]
    if inline := tuple(spans for spans, field in fields if field.get("inline")):
        yield Part("grid", inline)
    for spans, field in fields:
        if not field.get("inline"):
            yield Part("text", (spans,))
    if isinstance(footer, dict):
        yield Part("small", (plain(_text(footer.get("text"))),))


def _teams(payload: Mapping[str, Any]) -> Drawing:
    cards = [each["content"] for each in _dicts(payload.get("attachments")) if isinstance(each.get("content"), dict)]
    elements = [element for card in cards for element in _dicts(card.get("body"))]
    styles = (_text(element.get("style")) for element in elements)
    tone = next((_TONE_OF_STYLE[style] for style in styles if style in _TONE_OF_STYLE), "")
    parts = [part for element in elements for part in _card_element(element)]
    for card in cards:
        if actions := _dicts(card.get("actions")):
            parts.append(_buttons((_text(each.get("title")), each.get("url")) for each in actions))
    return Drawing("Workflows", (), tone, tuple(parts))


def _card_element(element: Mapping[str, Any], depth: int = 0) -> Iterator[Part]:
    if depth > _DEEPEST:
        return
    match element.get("type"):
        case "TextBlock":
            yield Part(_look(element), (markdown(_text(element.get("text"))),))
        case "RichTextBlock":
            runs = _dicts(element.get("inlines"))
            spans = tuple(Span(_text(run.get("text")), bold=run.get("weight") == "Bolder") for run in runs)
            yield Part(_look(runs[0]) if runs else "text", (spans,))
        case "FactSet":
            facts = _dicts(element.get("facts"))
            yield Part("grid", tuple(_fact(fact.get("title"), fact.get("value")) for fact in facts))
        case "ColumnSet":
            yield Part("grid", tuple(_column(column, depth + 1) for column in _dicts(element.get("columns"))))
        case "Container":
            for item in _dicts(element.get("items")):
                yield from _card_element(item, depth + 1)


def _column(column: Mapping[str, Any], depth: int) -> tuple[Span, ...]:
    parts = [part for item in _dicts(column.get("items")) for part in _card_element(item, depth)]
    return _joined((cell for part in parts for cell in part.cells), "\n")


def _fact(name: Any, value: Any) -> tuple[Span, ...]:
    """A bold name and its value below."""
    words = "".join(span.text for span in markdown(_text(name)))
    return (Span(words, bold=True), Span("\n"), *markdown(_text(value)))


def _look(text: Mapping[str, Any]) -> str:
    if text.get("size") in ("Large", "ExtraLarge"):
        return "heading"
    return "small" if text.get("isSubtle") else "text"


def _buttons(links: Iterable[tuple[str, Any]]) -> Part:
    return Part("buttons", tuple((Span(label, url=link(url)),) for label, url in links))


def _joined(cells: Iterable[tuple[Span, ...]], between: str = " · ") -> tuple[Span, ...]:
    spans: list[Span] = []
    for cell in cells:
        spans += [Span(between), *cell] if spans else cell
    return tuple(spans)


def _is_hex(text: str) -> bool:
    return 0 < len(text) <= 6 and all(character in "0123456789abcdefABCDEF" for character in text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_PAINTERS: Mapping[str, Callable[[Mapping[str, Any]], Drawing]] = {
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
}
