"""The sandbox answers as the providers do: it takes what we render, and refuses what they would."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.channels import registry
from notifications.channels.base import Answer, Verdict
from notifications.sandbox import receivers
from notifications.sandbox.receivers import Request
from tests.notifications.channels import samples

PATHS = {
    "slack": ("services/T0/B0/x", ""),
    "discord": ("api/v10/webhooks/123456789012345678/token", "wait=true"),
    "teams": ("workflows/ab12/triggers/manual/paths/invoke", "api-version=1&sig=s"),
}
KINDS = list(PATHS)
AGENT = {"user-agent": "DiscordBot (https://aegisrunner.com, 1.0)"}
SLACK_BLOCK = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "version": "1.5", "body": []},
}


def post(kind, payload, *, path=None, query=None, headers=AGENT):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    known_path, known_query = PATHS[kind]
    request = Request(
        path=known_path if path is None else path,
        query=known_query if query is None else query,
        headers=headers,
        body=body,
        at=datetime(2026, 4, 28, tzinfo=UTC),
    )
    return receivers.PROVIDERS[kind](request)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("message", samples.every_kind, ids=lambda message: message.subject)
def test_every_message_of_ours_is_taken(kind, message, compact):
    channel = registry.get(kind)
    reply = post(kind, channel.render(message, samples.context(), compact=compact).encode())
    assert reply.checks == ()
    reading = channel.read(Answer(status=reply.status, body=reply.body))
    assert reading.verdict in (Verdict.OK, Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"{", "invalid_payload"),
        ([], "invalid_payload"),
        ({"attachments": ["x"]}, "invalid_payload"),
        ({}, "no_text"),
        ({"text": "", "attachments": []}, "no_text"),
        ({"attachments": [{}] * 101}, "too_many_attachments"),
        ({"blocks": ["x"]}, "invalid_blocks"),
        ({"blocks": [SLACK_BLOCK] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "invalid_blocks"),
        ({"attachments": [{"blocks": [{"type": "section", "fields": [{"text": "x"}] * 11}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [{"text": "x" * 2001}]}]}, "invalid_blocks"),
    ],
)
def test_slack_refuses_what_slack_refuses(payload, answer):
    reply = post("slack", payload)
    assert (reply.status, reply.body) == (400, answer)
    assert reply.checks[0].ok is False


def test_text_alone_is_enough_for_slack():
    assert post("slack", {"text": "x"}).body == "ok"


@pytest.mark.parametrize("path", ["services/T0/B0", "workflows/T0/B0/x", "services/T0/B0/x/y", "services/T0/B0/é"])
def test_slack_knows_no_other_path(path):
    reply = post("slack", {"text": "x"}, path=path)
    assert (reply.status, reply.body) == (404, "no_service")


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"{", 400, 50109),
        ({}, 400, 50006),
        ({"embeds": {"title": "x"}}, 400, 50035),
        ({"content": "x" * 2001}, 400, 50035),
        ({"content": 7}, 400, 50035),
        ({"embeds": [{"title": "x" * 257}]}, 400, 50035),
        ({"embeds": [{"description": "x" * 4097}]}, 400, 50035),
        ({"embeds": [{"title": "x"}] * 11}, 400, 50035),
        ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, 400, 50035),
        ({"embeds": [{"fields": [{"name": "n", "value": " "}]}]}, 400, 50035),
        ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, 400, 50035),
        ({"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, 400, 50035),
    ],
)
def test_discord_refuses_what_discord_refuses(payload, status, code):
    reply = post("discord", payload)
    assert (reply.status, json.loads(reply.body)["code"]) == (status, code)


def test_discord_says_what_it_stored_only_when_asked_to_wait():
    assert json.loads(post("discord", {"content": "x"}).body)["content"] == "x"
    silent = post("discord", {"content": "x"}, query="")
    assert (silent.status, silent.body) == (204, "")


def test_discord_wants_its_form_of_user_agent_and_a_known_path():
    assert post("discord", {"content": "x"}, headers={"user-agent": "python-requests/2"}).status == 403
    assert post("discord", {"content": "x"}, path="api/v10/webhooks/12/token").status == 404


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        {"attachments": [CARD]},
        {"type": "message"},
        {"type": "message", "attachments": []},
        {"type": "message", "attachments": ["x"]},
        {"type": "message", "attachments": [{**CARD, "contentType": "text/html"}]},
        {"type": "message", "attachments": [{**CARD, "content": {"type": "AdaptiveCard", "version": "1.6"}}]},
    ],
)
def test_teams_accepts_a_message_its_workflow_would_choke_on_and_the_page_says_so(payload):
    reply = post("teams", payload)
    assert (reply.status, reply.body) == (202, "")
    assert reply.checks[0].ok is False


def test_teams_refuses_a_url_without_signature_an_unknown_path_and_a_large_body():
    payload = {"type": "message", "attachments": [CARD]}
    assert post("teams", payload).checks == ()
    assert post("teams", payload, query="api-version=1").status == 401
    assert post("teams", payload, path="workflows").status == 404
    assert post("teams", {**payload, "x": "x" * 28 * 1024}).status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "fields", "name", "value", "content", "author", "footer", "body", "title"])
            | st.sampled_from(["blocks", "elements", "attachments", "embeds", "items", "columns", "inlines", "facts"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
payloads = st.dictionaries(
    st.sampled_from(["text", "content", "blocks", "attachments", "embeds", "type", "username"]), json_values
)


@pytest.mark.parametrize("kind", KINDS)
@hypothesis_settings(max_examples=100, deadline=None)
@given(payload=payloads)
def test_any_json_gets_an_answer(kind, payload):
    assert post(kind, payload).status in (200, 202, 204, 400)
