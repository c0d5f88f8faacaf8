import json
from types import SimpleNamespace

import pytest

from notifications.channels.base import Answer, Outgoing, Trouble, Verdict
from notifications.channels.slack import Slack
from notifications.channels.slack.rendering import escape_mrkdwn
from projects.entitlements import Category
from projects.errors import Invalid
from tests.notifications.channels import samples

URL = "https://hooks.slack.com/services/T0001/B0002/abcdefghsecret"
slack = Slack()


def refusal(url):
    with pytest.raises(Invalid) as caught:
        slack.check({"url": url}, None)
    (sentence,) = caught.value.fields["url"]
    return sentence


# --- Configuration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://hooks.slack.com:443/services/T0001/B0002/secret",
        "https://hooks.slack-gov.com/services/T0001/B0002/secret",
        "https://HOOKS.slack.com/services/T0001/B0002/secret",
    ],
)
def test_incoming_webhooks_are_accepted_and_kept_as_they_are(url):
    checked = slack.check({"url": f"  {url}\n"}, None)
    assert (dict(checked.config), checked.url, checked.warnings) == ({"url": url}, url, ())


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://hooks.slack.com/workflows/T1/A1/1/secret", "Workflow Builder"),
        ("https://hooks.slack.com/triggers/T1/1/secret", "Workflow Builder"),
        ("https://hooks.slack.com/", "/services/"),
        ("https://hooks.slack.com/services/", "/services/"),
        ("https://hooks.slack.com/services/../triggers/secret", "/services/"),
        ("https://hooks.slack.com/api/services/secret", "/services/"),
        ("https://slack.com/services/T1/B1/secret", "hooks.slack.com"),
        ("https://hooks.slack.com.evil.example/services/T1/B1/secret", "hooks.slack.com"),
        ("https://evil-hooks.slack.com/services/T1/B1/secret", "hooks.slack.com"),
        ("https://hooks.slack.com:8443/services/T1/B1/secret", "port 8443"),
        ("http://hooks.slack.com/services/T1/B1/secret", "https://"),
        ("https://user:pass@hooks.slack.com/services/T1/B1/secret", "user name"),
    ],
)
def test_other_urls_are_refused_with_a_hint_that_keeps_the_secret(url, hint):
    sentence = refusal(url)
    assert hint in sentence
    assert "secret" not in sentence


def test_an_incomplete_url_is_accepted_with_a_warning():
    (warning,) = slack.check({"url": "https://hooks.slack.com/services/T1"}, None).warnings
    assert "three parts" in warning


def test_the_target_is_masked_and_the_host_is_plain():
    assert slack.target({"url": URL}) == "hooks.slack.com/…cret"
    assert slack.host({"url": "https://HOOKS.slack.com:443/services/x"}) == "hooks.slack.com"


def test_it_counts_as_a_chat_channel_and_has_a_url():
    assert slack.category is Category.CHAT
    assert slack.settings == {"url"}


# --- Rendering ------------------------------------------------------------------------------------------------------


def rendered(**options):
    return json.loads(slack.render(samples.message(**options), samples.context()))


def blocks_of(payload, kind):
    return [block for block in payload["attachments"][0]["blocks"] if block["type"] == kind]


def test_one_line_says_it_all_and_the_bar_has_the_colour():
    payload = rendered()
    assert payload["text"] == "❌ [Acme Web] Checkout flow failed: 5 of 20 tests"
    assert payload["attachments"][0]["fallback"] == payload["text"]
    colours = {
        payload["attachments"][0]["color"],
        rendered(facts={"id": "1", "status": "passed"})["attachments"][0]["color"],
    }
    assert colours == {"#d92d20", "#1a7f37"}


def test_counts_are_in_a_row():
    counts = blocks_of(rendered(), "section")[1]["fields"]
    assert [field["text"] for field in counts] == ["*Passed*\n14", "*Failed*\n5", "*Skipped*\n1"]


def test_a_button_leads_to_the_run_and_a_link_to_the_reason():
    payload = rendered()
    ((button,),) = (block["elements"] for block in blocks_of(payload, "actions"))
    assert (button["type"], button["url"], button["text"]["text"]) == ("button", samples.RUN_URL, "Open run")
    small_print = blocks_of(payload, "context")[-1]["elements"]
    assert small_print[-1]["text"] == f"<{samples.EVENT_URL}|Why did I get this?>"


def test_failures_stand_between_backticks_that_they_cannot_leave():
    failure = {"name": "a`b` *c*", "message": "``` <!channel> ```"}
    payload = rendered(facts={"id": "1", "status": "failed", "failed": 1, "failures": [failure]})
    assert blocks_of(payload, "section")[-1]["text"]["text"] == "`a'b' *c*`\n```''' &lt;!channel&gt; '''```"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a & b", "a &amp; b"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("*b* _i_ ~s~ `c`", "*\u200bb*\u200b _\u200bi_\u200b ~\u200bs~\u200b `\u200bc`\u200b"),
        ("> quote", "\u200b&gt; quote"),
        ("a > b", "a &gt; b"),
        (":tada: 10:30", ":\u200btada: 10:30"),
        ("https://evil.example", "https:\u200b//evil.example"),
        ("[x](y) | #general @here", "[x](y) | #general @here"),
    ],
)
def test_mrkdwn_is_escaped(text, escaped):
    assert escape_mrkdwn(text) == escaped


# --- Sending --------------------------------------------------------------------------------------------------------


def test_the_body_is_posted_as_utf_8_json():
    posts = []
    http = SimpleNamespace(
        post=lambda url, body, headers: posts.append((url, body, headers)) or Answer(status=200, body="ok")
    )
    outgoing = Outgoing("d-1", "run_failed", '{"text":"é"}', {"url": URL}, at=samples.message().occurred_at)
    assert slack.send(outgoing, SimpleNamespace(http=http)).body == "ok"
    ((url, body, headers),) = posts
    assert (url, body) == (URL, b'{"text":"\xc3\xa9"}')
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["User-Agent"].startswith("AegisNotify/")


# --- Reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Answer(status=200, body="ok"), Answer(status=200, body="ok\n")])
def test_ok_means_delivered(answer):
    assert slack.read(answer).verdict is Verdict.OK


def test_the_ok_of_rocket_chat_means_delivered():
    assert slack.read(Answer(status=200, body='{"success":true}')).verdict is Verdict.OK


@pytest.mark.parametrize("body", ["", "OK", "<html>ok</html>", '{"success":false}'])
def test_a_2xx_without_ok_is_a_failure(body):
    reading = slack.read(Answer(status=200, body=body))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, False)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (404, "channel_not_found"),
        (404, "no_service"),
        (404, "no_service_id"),
        (404, "no_team"),
        (404, "team_disabled"),
        (404, "no_active_hooks"),
        (403, "invalid_token"),
        (403, "action_prohibited"),
        (400, "user_not_found"),
        (400, "posting_to_general_channel_denied"),
        (403, "posting_to_general_channel_denied"),
        (410, "channel_is_archived"),
        (410, "whatever"),
        (200, "no_service"),
        (500, "no_service"),
    ],
)
def test_a_hook_that_is_gone_suspends_the_channel(status, word):
    reading = slack.read(Answer(status=status, body=word))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, True)
    assert f"Slack answered {status}" in reading.sentence


@pytest.mark.parametrize("word", ["invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text"])
def test_a_message_that_slack_cannot_read_is_our_fault_and_final(word):
    reading = slack.read(Answer(status=400, body=word))
    assert (reading.verdict, reading.gone, reading.too_large) == (Verdict.FAILED, False, False)
    assert word in reading.sentence
    assert "fault of ours" in reading.sentence


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=400, body="msg_blocks_too_long"),
        Answer(status=400, body="too_many_attachments"),
        Answer(status=413),
    ],
)
def test_too_large_asks_for_a_smaller_rendering(answer):
    reading = slack.read(answer)
    assert (reading.verdict, reading.too_large) == (Verdict.FAILED, True)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 599])
def test_temporary_statuses_are_tried_again(status):
    reading = slack.read(Answer(status=status, body="<html>"))
    assert (reading.verdict, reading.limited, reading.gone) == (Verdict.RETRY, False, False)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=429, body="rate_limited", headers={"retry-after": "30"}),
        Answer(status=429, headers={"retry-after": "30"}),
        Answer(status=400, body="rate_limited", headers={"retry-after": "30"}),
    ],
)
def test_a_limit_is_waited_for(answer):
    reading = slack.read(answer)
    assert (reading.verdict, reading.limited, reading.retry_after) == (Verdict.RETRY, True, 30.0)


def test_a_fault_inside_slack_is_tried_again_whatever_its_status():
    assert slack.read(Answer(status=400, body="rollup_error")).verdict is Verdict.RETRY


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 422, 499, 100, 600])
def test_everything_else_is_final(status):
    reading = slack.read(Answer(status=status, body="something"))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, False)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_troubles_are_tried_again_but_a_blocked_address_is_final(trouble):
    expected = Verdict.FAILED if trouble is Trouble.BLOCKED else Verdict.RETRY
    assert slack.read(Answer(trouble=trouble)).verdict is expected
