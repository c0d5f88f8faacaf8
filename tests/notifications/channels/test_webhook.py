"""The webhook kind: what it accepts, what it sends, how it reads answers."""

import base64
import json
import socket
from datetime import timedelta

import pytest
import responses
import standardwebhooks

from aegisnotify.clock import now
from notifications.channels.base import Answer, Outgoing, Trouble, Verdict
from notifications.channels.webhook import Webhook, rotation, signature
from notifications.delivery import targets
from notifications.delivery.http import SafeHttpClient
from notifications.delivery.targets import TargetPolicy
from notifications.delivery.transport import Transport
from projects.entitlements import Category
from projects.errors import Invalid

KIND = Webhook()
URL = "https://hooks.example.com/aegis/abcdefgh12345678"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CURRENT = {"url": URL, "secret": SECRET}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names and their address; what is not in it has a public one. An empty list: no address."""
    table = {}

    def resolve(host, port):
        found = table.get(host, ["93.184.216.34"])
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(targets, "resolve", resolve)
    return table


def fields(submitted, current=None):
    with pytest.raises(Invalid) as caught:
        KIND.check(submitted, current)
    return caught.value.fields


# --- Configuration ---------------------------------------------------------------------------------------------------


def test_it_is_a_webhook_with_a_url_and_a_secret():
    assert (KIND.name, KIND.category, KIND.settings) == ("webhook", Category.WEBHOOK, {"url", "secret"})


def test_a_new_channel_without_a_secret_gets_one_that_is_shown_once():
    checked = KIND.check({"url": URL}, None)
    assert len(base64.b64decode(checked.new_secret.removeprefix("whsec_"))) == 32
    assert checked.config == {"url": URL, "secret": checked.new_secret}
    assert (checked.url, checked.warnings) == (URL, ())


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_secret_counts_as_none(empty):
    assert KIND.check({"url": URL, "secret": empty}, None).new_secret
    assert KIND.check({"secret": empty}, CURRENT).config == CURRENT


def test_a_pasted_secret_is_taken_and_not_shown():
    checked = KIND.check({"url": URL, "secret": "of the receiver's own"}, None)
    assert (checked.config["secret"], checked.new_secret) == ("of the receiver's own", None)


def test_a_bad_url_and_a_bad_secret_are_told_together():
    assert set(fields({"url": "http://hooks.example.com/", "secret": "short"})) == {"url", "secret"}


def test_the_secret_of_an_existing_channel_changes_only_by_rotation():
    assert "rotating" in fields({"secret": "another one of 16 or more"}, CURRENT)["secret"][0]
    assert KIND.check({"secret": SECRET}, CURRENT).config == CURRENT
    assert KIND.check({"secret": SECRET}, {"url": URL, "secret": ""}).config == CURRENT


def test_changing_the_url_keeps_the_secret_and_the_staged_one():
    staged = {**CURRENT, "next_secret": "the next one of 16"}
    other = "https://other.example.com/x"
    checked = KIND.check({"url": other}, staged)
    assert (checked.config, checked.url, checked.new_secret) == ({**staged, "url": other}, other, None)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "Enter"),
        ("   ", "Enter"),
        (None, "text"),
        (7, "text"),
        ("hooks.example.com", "https://"),
        ("http://hooks.example.com/", "https://"),
        ("https://me:s3cret@hooks.example.com/", "user name"),
        ("https://hooks.example.com/" + "x" * 2000, "2,000"),
        ("https://hooks.example.com/…5678", "masked"),
        ("https://127.0.0.1/", "loopback"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://169.254.169.254/latest", "metadata"),
        ("https://inside.example.com/", "private"),
        ("https://mixed.example.com/", "private"),
    ],
)
def test_other_urls_are_refused_with_a_sentence(names, url, part):
    names["inside.example.com"] = ["10.0.0.1"]
    names["mixed.example.com"] = ["93.184.216.34", "10.0.0.1"]
    (sentence,) = fields({"url": url})["url"]
    assert part in sentence
    assert "s3cret" not in sentence


def test_a_new_channel_needs_a_url():
    assert fields({})["url"]


def test_a_url_of_2000_characters_is_taken_and_white_space_around_it_is_not():
    url = "https://hooks.example.com/".ljust(2000, "x")
    assert KIND.check({"url": f" {url}\n"}, None).url == url


def test_a_name_without_address_is_accepted_with_a_warning(names):
    names["later.example.com"] = []
    checked = KIND.check({"url": "https://Later.example.com/x"}, None)
    assert checked.url == "https://later.example.com/x"
    assert "no address at the moment" in checked.warnings[0]


def test_what_is_not_changed_is_not_looked_up_again(names):
    names["hooks.example.com"] = ["10.0.0.1"]
    assert KIND.check({}, CURRENT).config == CURRENT
    assert KIND.check({"url": URL}, CURRENT).config == CURRENT


def test_private_targets_over_http_are_taken_where_settings_allow_them(settings):
    settings.AEGIS_ALLOW_PRIVATE_TARGETS = True
    assert KIND.check({"url": "http://127.0.0.1:9000/x"}, None).url == "http://127.0.0.1:9000/x"
    assert fields({"url": "http://169.254.169.254/"})["url"]


def test_the_sandbox_is_taken_where_settings_name_it(settings):
    settings.AEGIS_SANDBOX_TARGET = "127.0.0.1:8000"
    assert KIND.check({"url": "http://127.0.0.1:8000/sandbox/1"}, None).url
    assert fields({"url": "http://127.0.0.1:8001/sandbox/1"})["url"]


def test_people_see_the_target_masked():
    assert KIND.target(CURRENT) == "hooks.example.com/…5678"
    assert KIND.host({"url": "https://hooks.example.com:8443/x"}) == "hooks.example.com:8443"


# --- Rotation --------------------------------------------------------------------------------------------------------


def test_a_secret_is_staged_beside_the_old_one_and_then_replaces_it():
    staged, generated = rotation.stage(CURRENT)
    assert staged == {**CURRENT, "next_secret": generated}
    assert rotation.is_staged(staged)
    assert rotation.activate(staged) == {"url": URL, "secret": generated}
    assert not rotation.is_staged(rotation.activate(staged))


def test_a_given_secret_is_staged_without_being_shown():
    assert rotation.stage(CURRENT, "of the receiver's own") == (
        {**CURRENT, "next_secret": "of the receiver's own"},
        None,
    )


def test_one_secret_can_be_staged_at_a_time():
    staged, _ = rotation.stage(CURRENT)
    with pytest.raises(rotation.AlreadyStaged):
        rotation.stage(staged)
    with pytest.raises(rotation.NothingStaged):
        rotation.activate(CURRENT)


# --- Sending ---------------------------------------------------------------------------------------------------------


def send(config, *, at=None):
    outgoing = Outgoing("0196-1", "run_failed", '{"event":"run_failed","name":"Größe"}', config, at or now())
    transport = Transport(SafeHttpClient(TargetPolicy()), mail=None)
    with responses.RequestsMock() as mocked:
        mocked.post(URL, status=204)
        answer = KIND.send(outgoing, transport)
        return answer, mocked.calls[0].request


def test_the_body_is_sent_byte_for_byte_with_signatures_that_verify():
    answer, request = send(CURRENT)
    assert answer.status == 204
    assert request.body == '{"event":"run_failed","name":"Größe"}'.encode()
    assert request.headers["X-AegisRunner-Event"] == "run_failed"
    assert request.headers["X-AegisRunner-Signature"] == f"sha256={signature.sign_hex(SECRET, request.body)}"
    assert "X-AegisRunner-Signature-Next" not in request.headers
    assert standardwebhooks.Webhook(SECRET).verify(request.body, dict(request.headers)) == json.loads(request.body)


def test_a_retry_has_the_same_id_and_the_moment_of_the_try():
    at = now()
    first, second = send(CURRENT, at=at)[1].headers, send(CURRENT, at=at + timedelta(hours=2))[1].headers
    assert first["webhook-id"] == second["webhook-id"] == first["X-AegisRunner-Delivery"] == "0196-1"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 7200
    assert first["X-AegisRunner-Signature"] == second["X-AegisRunner-Signature"]


def test_while_a_secret_is_staged_both_sign_and_afterwards_the_new_one_alone():
    staged, new = rotation.stage(CURRENT)
    request = send(staged)[1]
    assert request.headers["X-AegisRunner-Signature"] == f"sha256={signature.sign_hex(SECRET, request.body)}"
    assert request.headers["X-AegisRunner-Signature-Next"] == f"sha256={signature.sign_hex(new, request.body)}"
    for secret in (SECRET, new):
        standardwebhooks.Webhook(secret).verify(request.body, dict(request.headers))
    request = send(rotation.activate(staged))[1]
    assert request.headers["X-AegisRunner-Signature"] == f"sha256={signature.sign_hex(new, request.body)}"
    assert "X-AegisRunner-Signature-Next" not in request.headers


# --- Reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success_whatever_the_body(status):
    assert KIND.read(Answer(status, body='{"error": true}')).verdict is Verdict.OK


@pytest.mark.parametrize(
    "status",
    [100, 300, 301, 302, 307, 400, 401, 403, 404, 405, 408, 413, 415, 422, 425, 451, 499, 500, 502, 504, 599, 999],
)
def test_every_other_status_is_tried_again(status):
    reading = KIND.read(Answer(status, {"retry-after": "60"}))
    assert (reading.verdict, reading.gone, reading.limited, reading.ours) == (Verdict.RETRY, False, False, False)
    assert reading.retry_after is None
    assert str(status) in reading.sentence
    assert reading.sentence.endswith(".")


def test_410_is_final_and_means_gone():
    reading = KIND.read(Answer(410))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, True)


def test_429_is_limited_and_says_how_long():
    reading = KIND.read(Answer(429, {"retry-after": "60"}))
    assert (reading.verdict, reading.limited, reading.retry_after) == (Verdict.RETRY, True, 60)
    assert KIND.read(Answer(429)).limited


def test_503_says_how_long():
    assert KIND.read(Answer(503, {"retry-after": "60"})).retry_after == 60


@pytest.mark.parametrize("trouble", [Trouble.TIMEOUT, Trouble.CONNECTION, Trouble.DNS, Trouble.TLS])
def test_troubles_are_tried_again(trouble):
    reading = KIND.read(Answer(trouble=trouble, detail="What happened."))
    assert (reading.verdict, reading.ours) == (Verdict.RETRY, False)


def test_a_forbidden_address_is_final_and_our_own_faults_are_ours():
    assert KIND.read(Answer(trouble=Trouble.BLOCKED)).verdict is Verdict.FAILED
    ours = KIND.read(Answer(trouble=Trouble.OURS))
    assert (ours.verdict, ours.ours) == (Verdict.RETRY, True)
