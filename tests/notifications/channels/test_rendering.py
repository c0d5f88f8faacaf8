"""Whatever is in a message, what is rendered of it is valid for its provider. What is particular is tested per kind."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.channels.discord import Discord
from notifications.channels.slack import Slack
from notifications.channels.teams import Teams
from notifications.messages import Fact, Failure
from tests.notifications.channels import samples, validators

PROVIDERS = [(Slack(), validators.slack), (Discord(), validators.discord), (Teams(), validators.teams)]
each_provider = pytest.mark.parametrize(("kind", "valid"), PROVIDERS, ids=[kind.name for kind, _ in PROVIDERS])
hostile = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@each_provider
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("message", samples.every_kind, ids=lambda message: message.subject)
def test_every_kind_of_message_is_valid(kind, valid, message, compact):
    valid(kind.render(message, samples.context(), compact=compact))


@each_provider
@hostile
@given(message=samples.hostile_messages(), context=samples.contexts, compact=st.booleans())
def test_any_message_is_valid(kind, valid, message, context, compact):
    valid(kind.render(message, context, compact=compact))


@each_provider
@pytest.mark.parametrize("text", ["x", "😀", "漢", "&", "*", "\\", "{", "<a", '"', ":x:", "\u200b", "> "])
def test_names_of_ten_thousand_characters_are_valid(kind, valid, text):
    message = samples.message(samples.with_names(text * 10_000), project=text * 10_000)
    valid(kind.render(message, samples.context()))


@each_provider
@pytest.mark.parametrize("text", ["x", "漢", "\\", "{{", "😀", '"', "\x00\ud800\n"])
def test_even_a_message_that_nobody_cleaned_or_bounded_is_valid(kind, valid, text):
    long = text * 10_000
    message = dataclasses.replace(
        samples.message(),
        project=long,
        title=long,
        subject=long,
        summary=long,
        counts=(Fact(long, long),) * 20,
        facts=(Fact(long, long),) * 40,
        failures=(Failure(long, long),) * 40,
        failure_count=10**30,
        link="https://aegisrunner.com/" + "x" * 1900,
        link_label=long,
    )
    context = samples.context(event_url="https://notify.example.com/" + "&" * 450)
    for compact in (False, True):
        valid(kind.render(message, context, compact=compact))


@each_provider
def test_empty_texts_are_valid(kind, valid):
    message = dataclasses.replace(
        samples.message(samples.with_names("")),
        project="",
        title="",
        subject="",
        summary="",
        emoji="",
        counts=(Fact("", ""),),
        facts=(Fact("", ""),),
        failures=(Failure("", ""),),
        link="",
        link_label="",
    )
    for compact in (False, True):
        valid(kind.render(message, samples.context(event_url=""), compact=compact))


ACTIVE = {
    "slack": ("<!", "<@", "<#", "<at", "<script", "<http://evil", "<https://evil"),
    "discord": ("@everyone", "@here", "<@", "<#", "<:", "<t:"),
    "teams": ("<at>", "</at>", "<script", "{{", "${"),
}


@each_provider
@pytest.mark.parametrize("text", samples.INJECTIONS)
@pytest.mark.parametrize("compact", [False, True])
def test_names_cannot_inject_mentions_links_or_functions(kind, valid, text, compact):
    message = samples.message(samples.with_names(text), project=text)
    body = kind.render(message, samples.context(), compact=compact)
    valid(body)
    assert [active for active in ACTIVE[kind.name] if active in body] == []


@each_provider
@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "ftp://aegisrunner.com/run",
        "//aegisrunner.com/run",
        "https://user:pass@aegisrunner.com/run",
        "https://",
        "https://[::1",
        "https://aegisrunner.com:99999/",
        "https://aegisrunner.com/a\nb",
        "https://aegisrunner.com/" + "x" * 4000,
        "https://a" + "a" * 70 + ".example/",
    ],
)
@pytest.mark.parametrize("compact", [False, True])
def test_a_url_that_cannot_be_linked_is_left_out(kind, valid, url, compact):
    body = kind.render(samples.message({**samples.FAILED_RUN, "url": url}), samples.context(), compact=compact)
    valid(body)
    assert "Open run" not in body


@each_provider
@pytest.mark.parametrize("compact", [False, True])
def test_title_summary_and_link_are_always_there(kind, valid, compact):
    body = kind.render(samples.message(), samples.context(), compact=compact)
    assert "Checkout flow failed" in body
    assert "5 of 20 tests failed in 38.4 s." in body
    assert "https://aegisrunner.com/runs/77" in body


@each_provider
def test_the_compact_rendering_is_much_smaller(kind, valid):
    message = samples.message(samples.with_names("x" * 500))
    full, compact = (kind.render(message, samples.context(), compact=compact) for compact in (False, True))
    assert len(compact) < len(full) / 2


@each_provider
@pytest.mark.parametrize(
    "fact", ["Acme Web", "chromium", "staging", "38.4 s", "Every night", "14", "Why did I get this?"]
)
def test_the_facts_are_told(kind, valid, fact):
    assert fact in kind.render(samples.message(), samples.context())


@each_provider
def test_three_failures_are_told_and_the_rest_is_counted(kind, valid):
    body = kind.render(samples.message(), samples.context())
    assert body.count("expected ") == 3
    assert "and 2 more" in body


@each_provider
def test_nothing_is_counted_where_all_failures_are_told(kind, valid):
    facts = {**samples.FAILED_RUN, "failed": 2, "failures": samples.FAILED_RUN["failures"][:2]}
    assert "more" not in kind.render(samples.message(facts), samples.context())


@each_provider
@pytest.mark.parametrize(
    ("zone", "told"),
    [("Europe/Berlin", "28 Apr 2026, 12:42 (Europe/Berlin)"), ("UTC", "28 Apr 2026, 10:42 (UTC)")],
)
def test_the_time_is_told_in_the_workspaces_zone_which_is_named(kind, valid, zone, told):
    assert told in kind.render(samples.message(), samples.context(zone=zone))


@each_provider
@pytest.mark.parametrize("compact", [False, True])
def test_a_test_message_says_that_it_is_one(kind, valid, compact):
    body = kind.render(samples.message(test=True), samples.context(), compact=compact)
    assert "Test: " in body
    assert "Test: " not in kind.render(samples.message(), samples.context(), compact=compact)


@each_provider
def test_text_in_other_scripts_is_sent_as_it_is(kind, valid):
    assert "דף הבית 漢字 é" in kind.render(samples.message(samples.with_names("דף הבית 漢字 é")), samples.context())
