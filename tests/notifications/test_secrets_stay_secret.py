"""A channel's, a token's and an address's secret, put through every failure we can think of, shows up nowhere: in no
log line, error page, trace, answer, audit entry, page or page of the admin."""

import io
import json
import logging

import pytest
import requests
import urllib3
from django.contrib.admin import site
from django.db import OperationalError
from django.test import Client

from aegisnotify import signed_links
from aegisnotify.clock import now
from aegisnotify.logs import JsonFormatter, TextFormatter
from notifications.addresses.links import CONFIRM_ADDRESS, EVENT_MAIL
from notifications.channels.base import Answer
from notifications.delivery import sending
from notifications.delivery.engine import Engine
from notifications.models import Attempt, Channel, Delivery, TargetPace
from notifications.services.channels import (
    activate_secret,
    create_channel,
    delete_channel,
    rotate_secret,
    update_channel,
)
from notifications.services.testing import send_test
from projects.actors import SYSTEM
from projects.models import AuditEntry
from projects.services.tokens import create_token
from tests import factories
from tests.admin_walk import address
from tests.notifications.delivery.fakes import transport

# Each with a part that stands nowhere else.
PASTED = "Correct horse/ båttery «staple»"
STAGED = "whsec_c3RhZ2VkLXNlY3JldC1zdGFnZWQtc2VjcmV0LTEy/w=="
URLS = {
    "slack": "https://hooks.slack.com/services/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",
    "discord": "https://discord.com/api/webhooks/998877665544332211/leaked-discord_token-leaked",
    "teams": "https://prod-09.westeurope.logic.azure.com:443/workflows/1eaked0workflow/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=leakedteamssignature",
    "webhook": "https://hooks.example.com/leaked-path/leaked%2Fsegment?key=leaked-query-value",
}
PARTS = (
    "horse", "c3RhZ2VkLXNl", "TLEAK0001", "leakedslack", "leaked-discord", "1eaked0workflow", "leakedteams",
    "leaked-path", "leaked%2Fsegment", "leaked/segment", "leaked-query-value",
)  # fmt: skip


@pytest.fixture
def lines():
    """All that is logged, at every level, in both forms."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    for handler, formatter in zip(handlers, (TextFormatter(), JsonFormatter()), strict=True):
        handler.setFormatter(formatter)
    root, names = logging.getLogger(), ("urllib3", "django", "django_q", "axes")
    before = {name: logging.getLogger(name).level for name in names} | {"": root.level}
    for name in ("", *names):
        logging.getLogger(name).setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield stream
    for handler in handlers:
        root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def project():
    return factories.ProjectFactory(slug="shop", workspace__plan_code="business")


@pytest.fixture
def channels(project, monkeypatch):
    monkeypatch.setattr(
        "notifications.delivery.targets.resolve", lambda host, port: [(2, 1, 6, "", ("93.184.216.34", port))]
    )
    made = {
        kind: create_channel(SYSTEM, project, kind=kind, url=url).channel
        for kind, url in URLS.items()
        if kind != "webhook"
    }
    made["webhook"] = create_channel(SYSTEM, project, kind="webhook", url=URLS["webhook"], secret=PASTED).channel
    rotate_secret(SYSTEM, made["webhook"], secret=STAGED)
    return made


def found(text, *more):
    return [part for part in (*PARTS, *more) if part in text]


def stored():
    """All that deliveries, attempts, channels and the audit log keep in the clear."""
    rows = [
        *Attempt.objects.values_list("error", "response"),
        *Delivery.objects.values_list("status_reason", "body"),
        *Channel.objects.values_list("last_error", "suspended_reason", "target_host", "name"),
        *AuditEntry.objects.values_list("changes", "target_label", "actor_label"),
    ]
    return json.dumps(rows, default=str, ensure_ascii=False)


def failures(config):
    """What sending can raise or be answered, each quoting all that it knows."""
    url, told = config["url"], json.dumps(config)
    path = url.partition("/")[2].partition("/")[2]
    pool = urllib3.HTTPSConnectionPool("hooks.example.com")
    raised = [
        requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/" + path.partition("/")[2], Exception("x"))),
        requests.exceptions.InvalidURL(f"Failed to parse: {url}"),
        requests.HTTPError(f"404 Client Error: Not Found for url: {url}"),
        urllib3.exceptions.LocationParseError(url),
        UnicodeError(f"label too long in {url}"),
        KeyError(str(config)),
        ValueError(config.get("secret", "none")),
        AssertionError(f"Job(config={config!r})"),
        OSError(f"Authorization: {url} {config.get('next_secret')}"),
        RuntimeError(repr(told)),
    ]
    answered = [
        Answer(status=status, body=form, headers={"location": url, "x-echo": told})
        for status in (200, 302, 400, 404, 410, 429, 500)
        for form in (f"{url} {told}", told.replace("/", "\\/"), repr(config), json.dumps(config, ensure_ascii=False))
    ]
    return raised, answered


@pytest.mark.django_db
@pytest.mark.parametrize("kind", URLS)
def test_failures_of_sending(lines, channels, kind):
    channel = channels[kind]
    raised, answered = failures(channel.config)

    def raising(error):
        def raise_it(url):
            raise error from ValueError(f"for {url}")

        return raise_it

    seen = [*map(raising, raised), *answered]
    for answer in seen:
        TargetPace.objects.all().delete()
        Channel.objects.update(suspended_at=None, suspended_reason="", not_before=None, breaker_open_until=None)
        factories.DeliveryFactory(channel=channel, body="{}" if kind == "webhook" else "")
        made = transport(answer)
        Engine(threads=1, make_transport=lambda made=made: made).run(budget=5, linger=0, wait_for_retries=False)
        assert len(made.http.posts) == 1
    # What has a breaker or a pace between is not tried twice; ten tests a minute are allowed.
    results = [
        send_test(SYSTEM, channel, "run_failed", make_transport=lambda answer=answer: transport(answer))
        for answer in seen[:: max(len(seen) // 9, 1)][:9]
    ]
    assert found(repr(results)) == []
    assert Attempt.objects.count() >= len(answered)
    assert "Traceback" in lines.getvalue()
    assert found(lines.getvalue()) == []
    assert found(stored()) == []


@pytest.mark.django_db
def test_a_message_that_cannot_be_made_and_a_key_that_is_gone(lines, channels, monkeypatch, settings):
    def fails(job, **kwargs):
        raise ValueError(f"template broke near {URLS['slack']} in {job!r}")

    monkeypatch.setattr(sending, "render", fails)
    for channel in channels.values():
        factories.DeliveryFactory(channel=channel, body="")
    Engine(threads=1, make_transport=transport).run(budget=5, linger=0, wait_for_retries=False)
    assert lines.getvalue().count("could not be rendered") == 8
    for channel in channels.values():
        factories.DeliveryFactory(channel=channel)
    settings.AEGIS_ENCRYPTION_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    Engine(threads=1, make_transport=transport).run(budget=5, linger=0, wait_for_retries=False)
    assert "no key in AEGIS_ENCRYPTION_KEYS opens" in lines.getvalue()
    assert found(lines.getvalue()) == []


@pytest.mark.django_db
def test_changes_of_a_channel_leave_nothing_in_the_audit_log(channels):
    webhook = channels["webhook"]
    update_channel(SYSTEM, webhook, name="Renamed", url=URLS["webhook"] + "2")
    activate_secret(SYSTEM, webhook)
    for channel in channels.values():
        delete_channel(SYSTEM, Channel.objects.get(pk=channel.pk))
    assert AuditEntry.objects.count() > 8
    assert found(stored()) == []


@pytest.mark.django_db
def test_pages_api_and_admin_show_none(channels, project, people_of):
    owner, staff = people_of(project)
    delivery = factories.DeliveryFactory(
        occurrence__project=project, channel=channels["webhook"], status="failed", next_at=None
    )
    Attempt.objects.create(delivery=delivery, number=1, at=now(), outcome="failed", error="x")
    pages = [
        "/notifications/", "/deliveries/", f"/deliveries/{delivery.pk}/", f"/events/{delivery.occurrence_id}/why/",
        "/p/shop/config/integrations/notifications/", "/settings/audit/", "/settings/audit/audit.csv",
        *(f"/p/shop/channels/{channel.pk}" for channel in channels.values()),
        *(f"/p/shop/channels/{channels['webhook'].pk}/{panel}" for panel in ("rotate", "activate", "reveal", "delete")),
        "/api/v1/projects/shop/channels", "/api/v1/projects/shop/notification-settings", "/api/v1/deliveries",
        f"/api/v1/deliveries/{delivery.pk}", f"/api/v1/events/{delivery.occurrence_id}",
    ]  # fmt: skip
    for page in pages:
        response = owner.get(page)
        assert response.status_code == 200, page
        assert found(response.getvalue().decode()) == [], page
    for model in site._registry:
        page = staff.get(address(model, "changelist"))
        assert found(page.content.decode()) == [], model
        for row in model._default_manager.all()[:10]:
            assert found(staff.get(address(model, "change", row.pk)).content.decode()) == [], model


@pytest.fixture
def people_of():
    def made(project):
        owner, staff = Client(), Client()
        owner.force_login(
            project.workspace.memberships.get(role="owner").user, backend="django.contrib.auth.backends.ModelBackend"
        )
        staff.force_login(
            factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend"
        )
        return owner, staff

    return made


@pytest.mark.django_db
def test_what_a_caller_sends_is_in_no_line_and_in_no_refusal(lines, project):
    _, text = create_token(SYSTEM, project.workspace, name="ci", scopes=["settings:write", "settings:read"])
    client = Client(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert text not in stored()
    bodies = [
        {"kind": "slack", "name": "x", "url": URLS["slack"].replace("services", "other")},
        {"kind": "webhook", "name": "x", "url": "http://user:leaked-query-value@127.0.0.1/leaked-path"},
        {"kind": "webhook", "name": "x", "url": URLS["webhook"], "secret": "whsec_c3RhZ2VkLXNl*"},
        {"kind": "teams", "name": "x", "url": [URLS["teams"]]},
        {"kind": "discord", "name": "x", "secret": PASTED, "url": URLS["discord"] + "\x00"},
        {"kind": "slack", "name": "x", "position": URLS["slack"], "enabled": PASTED},
        {"kind": URLS["slack"]},
    ]
    raw = [
        json.dumps({"kind": "slack", "url": URLS["slack"]})[:-1].encode(),
        b'{"url": "' + URLS["slack"].encode() + b'", "url": 1}',
    ]
    for body in [*(json.dumps(body).encode() for body in bodies), *raw]:
        response = client.post("/api/v1/projects/shop/channels", body, content_type="application/json")
        assert response.status_code in (400, 402), response.content
        assert found(response.content.decode(), text[8:]) == [], body
    wrong = Client(HTTP_AUTHORIZATION=f"Bearer {text}x")
    assert text[8:] not in wrong.get("/api/v1/projects").content.decode()
    assert found(lines.getvalue(), text[8:]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_error_pages_show_neither_tokens_nor_links(lines, project, monkeypatch, settings, debug):
    settings.DEBUG = debug
    _, text = create_token(SYSTEM, project.workspace, name="ci", scopes=["settings:read"])

    def fails(*args, **kwargs):
        raise OperationalError(f"connection to postgresql://u:p4ssw0rd@db failed; was {args!r} {kwargs!r} {text}")

    confirmation = signed_links.make(CONFIRM_ADDRESS, workspace=project.workspace_id, email="ann@example.com")
    stop = signed_links.make(EVENT_MAIL, project=str(project.pk), email="ann@example.com")
    client = Client(raise_request_exception=False, HTTP_AUTHORIZATION=f"Bearer {text}")
    monkeypatch.setattr("projects.services.tokens.find_token", fails)
    monkeypatch.setattr("projects.authentication.find_token", fails, raising=False)
    monkeypatch.setattr("aegisnotify.signed_links.read", fails)
    secrets = (text[8:], confirmation.rpartition(":")[2], stop.rpartition(":")[2], "p4ssw0rd")
    for path in ("/api/v1/projects", f"/confirm-address/{confirmation}/", f"/u/{stop}/"):
        response = client.get(path)
        assert response.status_code == 500, path
        assert found(response.content.decode(), *secrets) == [], path
    client.get(f"/nothing/{stop}/")
    client.get(f"/invitations/{stop}/")
    assert "Internal Server Error" in lines.getvalue()
    assert found(lines.getvalue(), *secrets) == []
