from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications import checks
from notifications.channels import urls
from notifications.channels.discord import Discord
from notifications.channels.slack import Slack
from notifications.channels.teams import Teams
from notifications.channels.urls import ExtraHost
from projects.errors import Invalid

SLACK_URL = "https://hooks.slack.com/services/T0001/B0002/abcdefghsecret"
each_kind = pytest.mark.parametrize("kind", [Slack(), Discord(), Teams()], ids=lambda kind: kind.name)


# --- What every kind asks of a URL ----------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize(
    ("submitted", "hint"),
    [
        ({}, "Enter the webhook URL"),
        ({"url": ""}, "Enter the webhook URL"),
        ({"url": "  "}, "Enter the webhook URL"),
        ({"url": None}, "must be text"),
        ({"url": 5}, "must be text"),
        ({"url": ["https://secret"]}, "must be text"),
        ({"url": "hooks.slack.com/services/secret"}, "https://"),
        ({"url": "ftp://hooks.slack.com/services/secret"}, "https://"),
        ({"url": "javascript:secret"}, "https://"),
        ({"url": "https:///services/secret"}, "host name"),
        ({"url": "https://[::1/secret"}, "not a valid URL"),
        ({"url": "https://hooks.slack.com:secret/services"}, "not a valid URL"),
        ({"url": "https://hooks.slack.com:99999/secret"}, "not a valid URL"),
        ({"url": "https://hooks.slack.com/services/a secret"}, "spaces"),
        ({"url": "https://hooks.slack.com/ser\nvices/secret"}, "spaces"),
        ({"url": "https://hooks.slack.com/services/sécret-secret"}, "spaces"),
        ({"url": "https://evil.example\\@hooks.slack.com/secret"}, "spaces"),
        ({"url": "https://user@hooks.slack.com/services/secret"}, "user name"),
        ({"url": "https://user:secret@hooks.slack.com/services/x"}, "user name"),
        ({"url": "https://hooks.slack.com/services/x#secret"}, "#"),
        ({"url": "hooks.slack.com/…cret"}, "masked"),
        ({"url": "https://hooks.slack.com/services/" + "secret" * 400}, "2,000"),
    ],
)
def test_what_is_no_webhook_url_is_refused_in_a_sentence_without_secrets(kind, submitted, hint):
    with pytest.raises(Invalid) as caught:
        kind.check(submitted, None)
    (sentence,) = caught.value.fields["url"]
    assert list(caught.value.fields) == ["url"]
    assert hint in sentence
    assert "secret" not in sentence
    assert sentence.endswith(".")


@each_kind
def test_what_is_not_submitted_keeps_its_value(kind):
    checked = kind.check({}, {"url": "https://kept.example/anything"})
    assert (checked.config["url"], checked.url) == ("https://kept.example/anything",) * 2


@each_kind
def test_what_is_submitted_empty_is_not_kept(kind):
    with pytest.raises(Invalid):
        kind.check({"url": ""}, {"url": "https://kept.example/anything"})


@each_kind
@hypothesis_settings(deadline=None)
@given(
    url=st.text() | st.builds("https://{}".format, st.text()) | st.builds("{}/{}".format, st.just(SLACK_URL), st.text())
)
def test_any_text_is_accepted_or_refused(kind, url):
    try:
        stored = kind.check({"url": url}, None).url
    except Invalid:
        return
    assert urlsplit(stored).scheme == "https"


# --- Extra provider hosts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("slack=chat.example.com", ExtraHost("slack", "chat.example.com")),
        (" Discord = 127.0.0.1:9000 ", ExtraHost("discord", "127.0.0.1", 9000)),
        ("teams=[::1]:9000", ExtraHost("teams", "::1", 9000)),
        ("slack=CHAT.example.com:443", ExtraHost("slack", "chat.example.com", 443)),
    ],
)
def test_extra_hosts_are_read(entry, host):
    assert urls.parse_extra_hosts([entry]) == (frozenset({host}), ())


@pytest.mark.parametrize(
    "entry",
    [
        "chat.example.com",
        "slack=",
        "=chat.example.com",
        "webhook=chat.example.com",
        "slack=https://chat.example.com",
        "slack=chat.example.com/hooks",
        "slack=user@chat.example.com",
        "slack=chat.example.com:port",
        "slack=chat.example.com:",
        "slack=:9000",
        "slack=chat.example.com:99999",
        "slack=[::1",
        "slack=a=b",
    ],
)
def test_malformed_extra_hosts_are_told_apart_and_reported(entry, settings):
    assert urls.parse_extra_hosts([entry, "teams=ok.example", ""]) == (
        frozenset({ExtraHost("teams", "ok.example")}),
        (entry,),
    )
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = [entry]
    (error,) = checks.extra_provider_hosts_are_readable(None)
    assert error.id == "notifications.E001"
    assert entry in error.msg


def test_readable_extra_hosts_pass_the_check(settings):
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = ["slack=chat.example.com", "discord=127.0.0.1:9000"]
    assert checks.extra_provider_hosts_are_readable(None) == []


@pytest.mark.parametrize(
    ("kind", "url", "accepted"),
    [
        (Slack(), "https://chat.example.com/hooks/xyz", True),
        (Slack(), "https://chat.example.com:443/hooks/xyz", True),
        (Slack(), "https://CHAT.example.com/hooks/xyz?a=b", True),
        (Slack(), "https://chat.example.com:8443/hooks/xyz", False),
        (Discord(), "https://chat.example.com/hooks/xyz", False),
        (Teams(), "https://cards.example.com:9443/any", True),
        (Teams(), "https://cards.example.com/any", False),
        (Slack(), "https://user@chat.example.com/hooks/xyz", False),
    ],
)
def test_an_extra_host_is_accepted_for_its_kind_and_port(kind, url, accepted, settings):
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = ["slack=chat.example.com", "teams=cards.example.com:9443"]
    if accepted:
        assert kind.check({"url": url}, None).url == url
    else:
        with pytest.raises(Invalid):
            kind.check({"url": url}, None)


@pytest.mark.parametrize(
    ("private", "sandbox", "accepted"),
    [(False, "", False), (True, "", True), (False, "127.0.0.1:9000", True), (False, "127.0.0.1:9001", False)],
)
def test_http_is_for_development_and_for_the_own_sandbox(private, sandbox, accepted, settings):
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = ["discord=127.0.0.1:9000"]
    settings.AEGIS_ALLOW_PRIVATE_TARGETS = private
    settings.AEGIS_SANDBOX_TARGET = sandbox
    url = "http://127.0.0.1:9000/sandbox/discord/1"
    if accepted:
        assert Discord().check({"url": url}, None).url == url
    else:
        with pytest.raises(Invalid, match="https://"):
            Discord().check({"url": url}, None)


def test_http_is_never_for_the_providers_themselves(settings):
    settings.AEGIS_ALLOW_PRIVATE_TARGETS = True
    with pytest.raises(Invalid, match="https://"):
        Slack().check({"url": SLACK_URL.replace("https", "http")}, None)


# --- Masking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "masked", "host"),
    [
        (SLACK_URL, "hooks.slack.com/…cret", "hooks.slack.com"),
        ("http://127.0.0.1:9000/sandbox/slack/1", "127.0.0.1:9000/…ck/1", "127.0.0.1:9000"),
        ("https://[::1]:9000/sandbox/slack/1", "[::1]:9000/…ck/1", "[::1]:9000"),
        ("https://CHAT.example.com:443/hooks/abc", "chat.example.com/…", "chat.example.com"),
        ("https://chat.example.com", "chat.example.com/…", "chat.example.com"),
        ("", "", ""),
        ("https://[::1", "", ""),
    ],
)
def test_a_masked_url_shows_the_host_and_four_characters(url, masked, host):
    assert urls.mask(url) == masked
    assert urls.host_and_port(url) == host


# --- Links in messages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://aegisrunner.com/runs/1?a=b&c=d#e", "https://aegisrunner.com/runs/1?a=b&c=d#e"),
        ("HTTPS://AegisRunner.com", "https://aegisrunner.com/"),
        ("https://aegisrunner.com/a b|c>d(e)[f]", "https://aegisrunner.com/a%20b%7Cc%3Ed%28e%29%5Bf%5D"),
        ("https://aegisrunner.com/é%20%zz", "https://aegisrunner.com/%C3%A9%20%25zz"),
        ("https://müller.example/x", "https://xn--mller-kva.example/x"),
        ("http://localhost:8000/r", "http://localhost:8000/r"),
        ("http://[::1]:8000/r", "http://[::1]:8000/r"),
        ("https://a..b/", ""),
        ("https://a b/", ""),
        ("https://good.example\\@evil.example/", ""),
        ("https://user@aegisrunner.com/", ""),
        ("mailto:a@b.example", ""),
        ("aegisrunner.com", ""),
        ("", ""),
    ],
)
def test_links_are_made_safe_or_left_out(url, link):
    assert urls.safe_link(url, 200) == link


def test_a_link_longer_than_the_limit_is_left_out():
    assert urls.safe_link("https://a.example/" + "x" * 82, 100)
    assert urls.safe_link("https://a.example/" + "x" * 83, 100) == ""
    assert urls.safe_link("https://a.example/" + "é" * 20, 100) == ""


def test_a_link_can_not_read_as_a_mention():
    assert urls.safe_link("https://example.com/@everyone", 100) == "https://example.com/%40everyone"
