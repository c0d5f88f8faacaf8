"""The sandbox's addresses and its page."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

from aegisnotify.clock import now
from notifications.channels import registry
from notifications.channels.webhook import signature
from notifications.sandbox import arrivals, faults, webhook_secrets
from notifications.sandbox import settings as sandbox_settings
from tests.notifications.channels import samples

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SLACK, WEBHOOK = "/slack/services/T0/B0/x", "/webhook/acme-web"
HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(autouse=True)
def sandbox_site(settings):
    """The site as its own process has it, but for the installed apps."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "CSRF_FAILURE_VIEW", "CSRF_COOKIE_NAME"):
        setattr(settings, name, getattr(sandbox_settings, name))


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


def post(client, path, body, headers=None):
    return client.post(path, body, content_type="application/json", headers=headers)


def post_webhook(client, body=b'{"event":"run_failed"}', secret=SECRET, path=WEBHOOK):
    headers = signature.headers(delivery_id="d-1", event="run_failed", at=now(), body=body, secret=secret)
    headers.pop("Content-Type")
    return post(client, path, body, headers)


def page(client, path="/"):
    response = client.get(path)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def send_mail(html="<html><head><title>t</title></head><body>Hello</body></html>", subject="Checkout failed"):
    mail = EmailMultiAlternatives(subject, "the text", "notify@x.example", ["lena@x.example"])
    mail.attach_alternative(html, "text/html")
    get_connection("notifications.sandbox.mail.EmailBackend").send_messages([mail])


def submit(client, path, **fields):
    """As the form on the page would."""
    token = page(client).find("input", {"name": "csrfmiddlewaretoken"})["value"]
    return client.post(path, {"csrfmiddlewaretoken": token, **fields})


# --- Receiving ------------------------------------------------------------------------------------------------------


def test_a_post_is_answered_as_by_the_provider_and_kept(client):
    response = post(client, f"{SLACK}?q=1", '{"text": "hello"}')
    assert (response.status_code, response.content) == (200, b"ok")
    [arrival] = arrivals.newest(10)
    assert (arrival.kind, arrival.target, arrival.body) == ("slack", f"{SLACK}?q=1", '{"text": "hello"}')
    assert (arrival.status, arrival.answer) == (200, "ok")


def test_a_refused_post_is_kept_with_what_was_wrong(client):
    assert post(client, SLACK, "{}").content == b"no_text"
    [arrival] = arrivals.newest(10)
    assert (arrival.status, arrival.checks[0].ok) == (400, False)
    assert arrival.checks[0].sentence in page(client).text


def test_a_webhook_with_the_right_secret_is_verified_twice(client):
    webhook_secrets.write({"acme-web": [SECRET]})
    assert post_webhook(client).json() == {"received": True}
    text = page(client).text
    assert "X-AegisRunner-Signature is verified." in text
    assert "Standard Webhooks signature is verified." in text


def test_a_webhook_with_another_secret_is_refused(client):
    webhook_secrets.write({"acme-web": ["another secret of enough length"]})
    assert post_webhook(client).status_code == 401
    assert "does not match" in page(client).text


def test_a_webhook_that_no_secret_is_known_for_is_taken_without_verdict(client):
    webhook_secrets.write({"acme-web": [SECRET]})
    assert post_webhook(client, path="/webhook/other").status_code == 200
    assert "Not verified" in page(client).text


def test_a_signed_webhook_that_is_no_json_is_refused(client):
    webhook_secrets.write({"acme-web": [SECRET]})
    assert post_webhook(client, body=b"{").status_code == 401


def test_a_body_that_is_not_text_is_kept_readably(client):
    assert post(client, SLACK, b"\xff\xfe").status_code == 400
    assert arrivals.newest(10)[0].body == "\ufffd\ufffd"


def test_the_receiving_addresses_only_take_posts(client):
    assert client.get(SLACK).status_code == 405
    assert arrivals.count() == 0


def test_the_secrets_are_for_this_user_alone(sandbox_directory):
    webhook_secrets.write({"acme-web": [SECRET]})
    assert (sandbox_directory / "webhook-secrets.json").stat().st_mode & 0o777 == 0o600


# --- Failures on request --------------------------------------------------------------------------------------------


def test_failures_can_be_asked_for(client):
    assert submit(client, "/faults", status="503", count="2").status_code == 302
    assert "2 more posts" in page(client).text
    answers = [post(client, SLACK, '{"text": "x"}').status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    assert [arrival.status for arrival in arrivals.newest(10)] == [200, 503, 503]


def test_a_429_says_when_to_come_back(client):
    submit(client, "/faults", status="429", count="1")
    assert post(client, SLACK, '{"text": "x"}').headers["Retry-After"] == "2"


@pytest.mark.parametrize("fields", [{"status": "200", "count": "1"}, {"status": "503", "count": "101"}, {}])
def test_other_failures_are_not_to_be_had(client, fields):
    assert submit(client, "/faults", **fields).status_code == 400
    assert faults.take() is None


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_shows_each_kind_as_its_receiver_would(client):
    for kind, path in (
        ("slack", SLACK),
        ("discord", "/discord/api/v10/webhooks/123456789012345678/t?wait=true"),
        ("teams", "/teams/workflows/ab/triggers/manual/paths/invoke?sig=s"),
    ):
        agent = {"User-Agent": "DiscordBot (https://aegisrunner.com, 1.0)"}
        post(client, path, registry.get(kind).render(samples.message(), samples.context()), agent)
    soup = page(client)
    for kind in ("slack", "discord", "teams"):
        preview = soup.select_one(f".pv-{kind}")
        assert "tone-bad" in preview["class"]
        assert "Checkout flow" in preview.text
        assert preview.find("a", string="Open run")["href"] == samples.RUN_URL


def test_a_mail_stands_in_a_frame_that_may_do_nothing(client):
    send_mail()
    soup = page(client)
    frame = soup.find("iframe")
    assert "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"]
    assert "Checkout failed" in soup.text
    assert "the text" in soup.text
    document = client.get(frame["src"])
    assert b'<head><base target="_blank"><title>t</title>' in document.content
    policy = document.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert re.search(r"sandbox allow-popups allow-popups-to-escape-sandbox$", policy)
    assert document.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_only_mails_have_a_document_of_their_own(client):
    post(client, SLACK, '{"text": "x"}')
    number = arrivals.newest(1)[0].number
    assert client.get(f"/mails/{number}/").status_code == 404
    assert client.get("/mails/7/").status_code == 404


def test_nothing_that_arrives_becomes_markup_of_the_page(client):
    post(client, SLACK, json.dumps({"text": HOSTILE}), {"X-Hostile": HOSTILE})
    post(client, SLACK, HOSTILE)
    post(client, f"/webhook/{HOSTILE}", json.dumps({"event": HOSTILE}), {"X-AegisRunner-Event": HOSTILE})
    message = samples.message(samples.with_names(HOSTILE), project=HOSTILE)
    post(client, SLACK, registry.get("slack").render(message, samples.context()))
    send_mail(html=HOSTILE, subject=HOSTILE)
    soup = page(client)
    assert len(soup.find_all("article")) == 5
    assert all(script.get("src") and not script.text for script in soup.find_all("script"))
    assert soup.find("img") is None
    assert HOSTILE in soup.text


def test_the_page_has_no_inline_style_or_script_and_a_policy_that_forbids_them(client):
    post(client, SLACK, registry.get("slack").render(samples.message(), samples.context()))
    response = client.get("/")
    soup = BeautifulSoup(response.content, "html.parser")
    assert not soup.find_all(style=True)
    assert not soup.find_all("style")
    assert not [name for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_the_page_asks_for_what_is_new(client):
    post(client, SLACK, '{"text": "first"}')
    address = page(client).find(id="poll")["hx-get"]
    assert client.get(address).status_code == 204
    post(client, SLACK, '{"text": "second"}')
    news = page(client, address)
    assert "second" in news.text
    assert "first" not in news.text
    assert news.select_one("[hx-swap-oob]")["hx-swap-oob"] == "afterbegin:#arrivals"
    assert client.get(news.find(id="poll")["hx-get"]).status_code == 204


def test_older_arrivals_are_a_page_further(client, monkeypatch):
    monkeypatch.setattr("notifications.sandbox.views.PAGE_SIZE", 2)
    for word in ("first", "second", "third"):
        post(client, SLACK, json.dumps({"text": word}))
    soup = page(client)
    assert "first" not in soup.text
    older = page(client, "/" + soup.find("a", string="Older")["href"])
    assert "first" in older.text
    assert older.find(id="poll") is None


@pytest.mark.parametrize("number", ["x", "-1", "٣", "1" * 40])
def test_a_made_up_place_in_the_list_is_no_error(client, number):
    assert client.get("/", {"before": number}).status_code == 200
    assert client.get("/news", {"after": number}).status_code == 204


def test_clearing_is_a_form_that_other_sites_cannot_post(client):
    post(client, SLACK, '{"text": "x"}')
    assert client.post("/clear").status_code == 403
    assert arrivals.count() == 1
    assert submit(client, "/clear").status_code == 302
    assert arrivals.count() == 0
    assert client.get("/clear").status_code == 405
