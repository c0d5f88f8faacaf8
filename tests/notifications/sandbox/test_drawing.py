"""What the page draws of a message, read back from what our kinds render."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from notifications.channels import registry
from notifications.sandbox.drawing import draw
from notifications.sandbox.markup import Span, link, markdown, mrkdwn
from tests.notifications.channels import samples
from tests.notifications.sandbox.test_receivers import KINDS, payloads


def drawn(kind, message):
    return draw(kind, registry.get(kind).render(message, samples.context()))


def words(drawing):
    spans = [*drawing.headline, *(span for part in drawing.parts for cell in part.cells for span in cell)]
    return "\n".join(span.text for span in spans)


def links(drawing):
    return {span.text: span.url for part in drawing.parts for cell in part.cells for span in cell if span.url}


@pytest.mark.parametrize("kind", KINDS)
def test_the_facts_the_failures_and_the_links_are_drawn(kind):
    drawing = drawn(kind, samples.message())
    text = words(drawing)
    for fact in (
        "Checkout flow",
        "Acme Web",
        "chromium",
        "staging",
        "38.4 s",
        "test_pay_0",
        "expected 2",
        "and 2 more",
    ):
        assert fact in text.replace("\u200b", "")
    assert links(drawing)["Open run"] == samples.RUN_URL
    assert links(drawing)["Why did I get this?"] == samples.EVENT_URL


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", samples.every_kind, ids=lambda message: message.subject)
def test_the_bar_has_the_colour_of_how_it_went(kind, message):
    assert drawn(kind, message).tone == message.tone.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", samples.INJECTIONS)
def test_a_name_with_markup_makes_no_link(kind, name):
    drawing = drawn(kind, samples.message(samples.with_names(name), project=name))
    assert set(links(drawing).values()) <= {samples.RUN_URL, samples.EVENT_URL}


@pytest.mark.parametrize("kind", KINDS)
@hypothesis_settings(max_examples=100, deadline=None)
@given(payload=payloads)
def test_any_json_is_drawn(kind, payload):
    assert draw(kind, json.dumps(payload)) is not None


@pytest.mark.parametrize("body", ["", "{", "[]", "7", "[" * 100_000])
def test_what_is_no_json_object_is_not_drawn(body):
    assert draw("slack", body) is None


@pytest.mark.parametrize("kind", ["webhook", "email"])
def test_webhooks_and_mails_are_shown_otherwise(kind):
    assert draw(kind, "{}") is None


def test_a_card_nested_without_end_is_drawn_down_to_some_depth():
    body = '{"type": "Container", "items": [' * 60 + '{"type": "TextBlock", "text": "x"}' + "]}" * 60
    assert draw("teams", f'{{"attachments": [{{"content": {{"body": [{body}]}}}}]}}').parts == ()


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("a *b* c", (Span("a "), Span("b", bold=True), Span(" c"))),
        ("`a` ```b\nc```", (Span("a", code=True), Span(" "), Span("b\nc", code=True))),
        ("<https://x.example/?a=1&amp;b=2|here>", (Span("here", url="https://x.example/?a=1&b=2"),)),
        ("<https://x.example>", (Span("https://x.example", url="https://x.example"),)),
        ("&lt;!channel&gt; &amp;amp;", (Span("<!channel> &amp;"),)),
        ("<!channel>", (Span("<!channel>"),)),
        ("<javascript:alert(1)|x>", (Span("<javascript:alert(1)|x>"),)),
        ("*\u200ba*\u200b 2*3*4 `\u200bb`\u200b", (Span("*\u200ba*\u200b 2*3*4 `\u200bb`\u200b"),)),
        ("", ()),
    ],
)
def test_slacks_markup(text, spans):
    assert mrkdwn(text) == spans


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("a **b** c", (Span("a "), Span("b", bold=True), Span(" c"))),
        ("[he\\]re](https://x.example/)", (Span("he]re", url="https://x.example/"),)),
        (r"\*\*a\*\* \[x\](https://x.example)", (Span("**a** [x](https://x.example)"),)),
        ("[x](javascript:alert(1))", (Span("[x](javascript:alert(1))"),)),
        (r"C:\new", (Span(r"C:\new"),)),
    ],
)
def test_discords_and_teams_markup(text, spans):
    assert markdown(text) == spans


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x.example", "https://[", None, 7])
def test_only_web_addresses_become_links(url):
    assert link(url) == ""
