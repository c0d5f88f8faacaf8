"""What each provider would answer to a request: the path, the payload's form and its limits. Pure.

As strict as the providers where that catches a mistake of ours, and no more. Sources are named in the renderings of
each kind; the words and codes of the answers are what their readings expect.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from notifications.sandbox.arrivals import Check
from notifications.sandbox.verifying import verify

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_SLACK_PATH = re.compile(r"services(?:/[A-Za-z0-9_-]+){3}")
_DISCORD_PATH = re.compile(r"api/(?:v\d+/)?webhooks/\d{17,20}/[A-Za-z0-9_-]+")
_TEAMS_PATH = re.compile(r"workflows/[0-9a-f]+/triggers/manual/paths/invoke")
_TEAMS_LARGEST = 28 * 1024
_EMBED_LARGEST = 6000


@dataclass(frozen=True, slots=True)
class Request:
    """A POST. `path` stands below the kind's own prefix, `headers` have lower-case names."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: str = ""
    content_type: str = TEXT
    checks: tuple[Check, ...] = ()


def slack(request: Request) -> Reply:
    if not _SLACK_PATH.fullmatch(request.path):
        return _refuse(404, "no_service", "There is no such incoming webhook: /slack/services/T…/B…/… is the form.")
    payload = _object(request.body)
    if payload is None:
        return _refuse(400, "invalid_payload", "The body is not a JSON object.")
    attachments = payload.get("attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        return _refuse(400, "invalid_payload", "attachments is not a list of objects.")
    if not (payload.get("text") or payload.get("blocks") or attachments):
        return _refuse(400, "no_text", "There is neither text nor a block nor an attachment.")
    if len(attachments) > 100:
        return _refuse(400, "too_many_attachments", f"{len(attachments)} attachments; 100 are allowed.")
    for blocks in (payload.get("blocks") or [], *(each.get("blocks") or [] for each in attachments)):
        if problem := _problem_of_blocks(blocks):
            return _refuse(400, "invalid_blocks", problem)
    return Reply(200, "ok")


def _problem_of_blocks(blocks: Any) -> str | None:
    if not isinstance(blocks, list) or not all(
        isinstance(block, dict) and isinstance(block.get("type"), str) for block in blocks
    ):
        return "The blocks are not a list of objects with a type."
    if len(blocks) > 50:
        return f"{len(blocks)} blocks; 50 are allowed."
    for block in blocks:
        fields = _list(block.get("fields"))
        if len(fields) > 10:
            return f"{len(fields)} fields; 10 are allowed."
        texts = [(block["text"], 150 if block["type"] == "header" else 3000)] if "text" in block else []
        for text, longest in [*texts, *((field, 2000) for field in fields)]:
            words = _dict(text).get("text")
            if not isinstance(words, str) or not words:
                return f"A text of a {block['type']} block is empty."
            if len(words) > longest:
                return f"A text of a {block['type']} block has {len(words):,} characters; {longest:,} are allowed."
    return None


def discord(request: Request) -> Reply:
    if not _DISCORD_PATH.fullmatch(request.path):
        return _discord_refusal(404, 10015, "Unknown Webhook", "There is no such webhook.")
    if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
        return _discord_refusal(
            403, 40333, "internal network error", "The User-Agent is not DiscordBot (url, version)."
        )
    payload = _object(request.body)
    if payload is None:
        return _discord_refusal(400, 50109, "The request body contains invalid JSON.", "The body is not a JSON object.")
    if not (payload.get("content") or payload.get("embeds")):
        return _discord_refusal(400, 50006, "Cannot send an empty message", "There is neither content nor an embed.")
    if problem := _problem_of_embeds(payload):
        return _discord_refusal(400, 50035, "Invalid Form Body", problem)
    if parse_qs(request.query).get("wait") != ["true"]:
        return Reply(204)
    message = {"id": str(int(request.at.timestamp() * 1000) << 22), "type": 0, "content": payload.get("content", "")}
    return Reply(200, json.dumps(message), JSON)


def _problem_of_embeds(payload: Mapping[str, Any]) -> str | None:
    embeds = payload.get("embeds") or []
    if not isinstance(embeds, list) or not all(isinstance(embed, dict) for embed in embeds):
        return "embeds is not a list of objects."
    if len(embeds) > 10:
        return f"{len(embeds)} embeds; 10 are allowed."
    total = 0
    for name, text, longest in [("content", payload.get("content") or "", 2000), *_embed_texts(embeds)]:
        if not isinstance(text, str) or len(text) > longest:
            return f"{name} is no text, or longer than {longest:,} characters."
        if name.startswith("field") and not text.strip():
            return f"{name} is empty."
        total += 0 if name == "content" else len(text)
    if any(len(_list(embed.get("fields"))) > 25 for embed in embeds):
        return "More than 25 fields in an embed."
    if total > _EMBED_LARGEST:
        return f"The embeds have {total:,} characters in all; {_EMBED_LARGEST:,} are allowed."
    return None


def _embed_texts(embeds: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any, int]]:
    for embed in embeds:
        yield "title", embed.get("title") or "", 256
        yield "description", embed.get("description") or "", 4096
        yield "author name", _dict(embed.get("author")).get("name") or "", 256
        yield "footer", _dict(embed.get("footer")).get("text") or "", 2048
        for field in _list(embed.get("fields")):
            yield "field name", _dict(field).get("name"), 256
            yield "field value", _dict(field).get("value"), 1024


def _discord_refusal(status: int, code: int, message: str, problem: str) -> Reply:
    return Reply(status, json.dumps({"message": message, "code": code}), JSON, (Check(False, problem),))


def teams(request: Request) -> Reply:
    """A workflow answers 202 before it looks at the message; what would make its run fail is only shown on the page."""
    if not _TEAMS_PATH.fullmatch(request.path):
        return _teams_refusal(404, "WorkflowNotFound", "There is no such workflow.")
    if not parse_qs(request.query).get("sig"):
        return _teams_refusal(401, "DirectApiAuthorizationRequired", "The URL has no signature (sig).")
    if len(request.body) > _TEAMS_LARGEST:
        return _teams_refusal(413, "RequestEntityTooLarge", f"{len(request.body):,} bytes; 28 KB are allowed.")
    problem = _problem_of_cards(_object(request.body))
    checks = (Check(False, f"The run of the workflow would fail, unheard: {problem}"),) if problem else ()
    return Reply(202, checks=checks)


def _problem_of_cards(payload: Mapping[str, Any] | None) -> str | None:
    if payload is None:
        return "the body is not a JSON object."
    attachments = payload.get("attachments")
    if payload.get("type") != "message" or not isinstance(attachments, list) or not attachments:
        return "there is no message with attachments, over which it loops."
    for each in attachments:
        card = each.get("content") if isinstance(each, dict) else None
        if (
            not isinstance(card, dict)
            or each.get("contentType") != "application/vnd.microsoft.card.adaptive"
            or card.get("type") != "AdaptiveCard"
        ):
            return "an attachment is not an Adaptive Card."
        if str(card.get("version")) not in {f"1.{minor}" for minor in range(6)}:
            return "the version of a card is not one that Teams shows (up to 1.5)."
    return None


def _teams_refusal(status: int, code: str, problem: str) -> Reply:
    return Reply(status, json.dumps({"error": {"code": code, "message": problem}}), JSON, (Check(False, problem),))


def webhook(request: Request, secrets: Sequence[str]) -> Reply:
    """401 for what does not verify, as a receiver should."""
    checks = verify(request.body, request.headers, secrets, request.at)
    if _object(request.body) is None:
        checks += (Check(False, "The body is not a JSON object."),)
    if any(check.ok is False for check in checks):
        return Reply(401, json.dumps({"error": "not verified"}), JSON, checks)
    return Reply(200, json.dumps({"received": True}), JSON, checks)


PROVIDERS: Mapping[str, Callable[[Request], Reply]] = {"slack": slack, "discord": discord, "teams": teams}


def _refuse(status: int, word: str, problem: str) -> Reply:
    return Reply(status, word, TEXT, (Check(False, problem),))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
