"""What the providers check, as far as it can be checked without them. Each returns the parsed body."""

import json
import re
from datetime import datetime
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from jsonschema import Draft6Validator
from slack_sdk.models.blocks import Block

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _units(text):
    return len(text.encode("utf-16-le")) // 2


def _check_link(url, limit):
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert url.isascii()
    assert not set(url) & set(' <>|()"\\')
    assert len(url) <= limit


# --- Slack ----------------------------------------------------------------------------------------------------------


def slack(body):
    payload = json.loads(body)
    assert 1 <= _units(payload["text"]) <= 4000
    _check_slack_text(payload["text"])
    assert payload["unfurl_links"] is payload["unfurl_media"] is False
    for attachment in payload.get("attachments", ()):
        assert re.fullmatch(r"#[0-9a-f]{6}", attachment["color"])
        _check_slack_text(attachment["fallback"])
        _check_slack_blocks(attachment["blocks"])
    return payload


def _check_slack_blocks(blocks):
    assert 1 <= len(blocks) <= 50
    total = 0
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None, block["type"]
        assert parsed.to_dict() == block
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
        for text in _slack_texts(block):
            assert 1 <= _units(text["text"]) <= 3000
            _check_slack_text(text["text"])
            if text["type"] == "mrkdwn":
                assert text["verbatim"] is True
            total += _units(text["text"])
        for field in block.get("fields", ()):
            assert _units(field["text"]) <= 2000
        for element in block.get("elements", ()):
            if element["type"] == "button":
                _check_link(element["url"], 3000)
    assert total <= 12_000


def _slack_texts(value):
    if isinstance(value, dict):
        if value.get("type") in ("mrkdwn", "plain_text"):
            yield value
        for inner in value.values():
            yield from _slack_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _slack_texts(inner)


def _check_slack_text(text):
    """Every angle bracket is one of our own links, every ampersand an escape."""
    assert not _CONTROL.search(text.replace("\n", ""))
    rest = re.sub(r"<https?://[^<>|\s]+\|[^<>|]+>", "", text)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)


# --- Discord --------------------------------------------------------------------------------------------------------


def discord(body):
    payload = json.loads(body)
    assert payload["allowed_mentions"] == {"parse": []}
    assert 1 <= len(payload["username"]) <= 80
    assert not re.search("clyde|discord", payload["username"], re.IGNORECASE)
    assert len(payload["embeds"]) == 1
    total = 0
    for embed in payload["embeds"]:
        fields = embed.get("fields", [])
        assert len(fields) <= 25
        assert 0 <= embed["color"] <= 0xFFFFFF
        limited = [(embed["title"], 256), (embed["description"], 4096)]
        limited += [(embed["author"]["name"], 256)] if "author" in embed else []
        limited += [(embed["footer"]["text"], 2048)] if "footer" in embed else []
        for field in fields:
            assert set(field) == {"name", "value", "inline"}
            limited += [(field["name"], 256), (field["value"], 1024)]
        for text, limit in limited:
            assert 1 <= _units(text.strip(" \t\n\r\ufeff")) <= limit
            assert not _CONTROL.search(text.replace("\n", ""))
            assert not re.search(r"@(everyone|here)|<[@#:at/]", text)
            total += _units(text)
        if "url" in embed:
            _check_link(embed["url"], 2048)
            assert "." in urlsplit(embed["url"]).hostname
        if "timestamp" in embed:
            assert datetime.fromisoformat(embed["timestamp"]).tzinfo
    assert total <= 6000
    return payload


# --- Teams ----------------------------------------------------------------------------------------------------------


@cache
def _card_schema():
    schema = json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text("utf-8"))
    return Draft6Validator(schema)


def teams(body):
    assert len(body.encode()) <= 20_000
    payload = json.loads(body)
    assert payload["type"] == "message"
    (attachment,) = payload["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["msteams"] == {"width": "Full"}
    assert card["version"] == "1.5"
    _card_schema().validate({name: value for name, value in card.items() if name != "msteams"})
    assert len(card.get("actions", ())) <= 6
    for action in card.get("actions", ()):
        assert action["type"] == "Action.OpenUrl"
        assert action["title"]
        _check_link(action["url"], 2000)
    for text in _strings(card):
        assert text
        assert not _CONTROL.search(text)
        assert not re.search(r"\{\{|\$\{|</?at>", text)
    return payload


def _strings(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)
