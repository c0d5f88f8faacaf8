import json
from types import SimpleNamespace

import pytest

from notifications.channels.base import Answer, Outgoing, Trouble, Verdict
from notifications.channels.teams import Teams
from notifications.channels.teams.rendering import escape
from projects.errors import Invalid
from tests.notifications.channels import samples

QUERY = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-c_d%2Bsecret"
PLATFORM = "https://default0123abcd.4d.environment.api.powerplatform.com:443/powerautomate/automations/direct"
URL = f"{PLATFORM}/workflows/0a1b2c/triggers/manual/paths/invoke?{QUERY}"
teams = Teams()


def refusal(url):
    with pytest.raises(Invalid) as caught:
        teams.check({"url": url}, None)
    (sentence,) = caught.value.fields["url"]
    return sentence


# --- Configuration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"https://prod-12.westeurope.logic.azure.com:443/workflows/0a1b/triggers/manual/paths/invoke?{QUERY}",
        f"https://prod-12.westeurope.logic.azure.com/powerautomate/automations/direct/workflows/0a/triggers/m?{QUERY}",
    ],
)
def test_workflow_urls_are_kept_byte_for_byte(url):
    checked = teams.check({"url": url}, None)
    assert (checked.config["url"], checked.url, checked.warnings) == (url, url, ())


@pytest.mark.parametrize(
    "url",
    ["https://acme.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4", "https://outlook.office.com/webhook/1/2/3"],
)
def test_classic_connectors_are_accepted_with_a_warning(url):
    checked = teams.check({"url": url}, None)
    assert checked.url == url
    assert "retired" in checked.warnings[0]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (URL.partition("?")[0] + "?api-version=1&code=secret", "Anyone"),
        (URL.replace("sig=aB-c_d%2Bsecret", "sig="), "Anyone"),
        (URL.replace("/workflows/", "/flows/"), "/workflows/"),
        (URL.replace("/triggers/manual/", "/manual/"), "/triggers/"),
        (URL.replace("powerplatform.com", "powerplatform.com.evil.example"), "not the URL of a Teams workflow"),
        (URL.replace(":443", ":8443"), "port 8443"),
        (URL.replace("https://", "http://"), "https://"),
        ("https://logic.azure.com/workflows/1/triggers/2?sig=secret", "not the URL of a Teams workflow"),
        ("https://teams.microsoft.com/l/channel/secret", "not the URL of a Teams workflow"),
        ("https://outlook.office.com/mail/secret", "workflow"),
    ],
)
def test_other_urls_are_refused_with_a_hint_that_keeps_the_secret(url, hint):
    sentence = refusal(url)
    assert hint in sentence
    assert "secret" not in sentence


def test_the_target_is_masked():
    assert teams.target({"url": URL}) == "default0123abcd.4d.environment.api.powerplatform.com/…cret"
    assert teams.host({"url": URL}) == "default0123abcd.4d.environment.api.powerplatform.com"


def test_the_steps_name_what_people_miss():
    steps = " ".join(teams.setup_steps)
    assert "Anyone" in steps
    assert "co-owner" in steps


# --- Rendering ------------------------------------------------------------------------------------------------------


def card(**options):
    payload = json.loads(teams.render(samples.message(**options), samples.context()))
    return payload["attachments"][0]["content"]


@pytest.mark.parametrize(("facts", "style"), [(None, "attention"), ({"id": "1", "status": "passed"}, "good")])
def test_the_heading_has_the_status_as_style_and_in_words(facts, style):
    heading = card(facts=facts)["body"][0]
    assert (heading["type"], heading["style"]) == ("Container", style)
    assert ("failed" if style == "attention" else "passed") in json.dumps(heading)


def test_the_card_has_full_width_facts_and_links():
    content = card()
    assert content["msteams"] == {"width": "Full"}
    (facts,) = (part["facts"] for part in content["body"] if part["type"] == "FactSet")
    assert {fact["title"]: fact["value"] for fact in facts} == {
        "Browser": "chromium",
        "Environment": "staging",
        "Duration": "38.4 s",
        "Schedule": "Every night",
    }
    assert [(action["title"], action["url"]) for action in content["actions"]] == [
        ("Open run", samples.RUN_URL),
        ("Why did I get this?", samples.EVENT_URL),
    ]


def test_names_stand_where_teams_knows_no_markdown():
    text = "**[x](http://evil.example)**"
    for part in card(facts=samples.with_names(text))["body"]:
        if text in json.dumps(part):
            assert '"TextBlock"' not in json.dumps(part)
            assert part["type"] != "FactSet"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("[x](http://evil.example)", "\\[x\\]\\(http://evil.example\\)"),
        ("**b** _i_ `c`", "\\*\\*b\\*\\* \\_i\\_ \\`c\\`"),
        ("<at>Lena</at>", "<\u200bat>Lena<\u200b/at>"),
        ("{{DATE(x)}}", "{\u200b{DATE\\(x\\)}}"),
        ("{{{", "{\u200b{\u200b{"),
        ("${a}", "$\u200b{a}"),
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("# h", "\\# h"),
        ("> q", "\\> q"),
        ("1. item", "1\\. item"),
        ("1.5 s - 2 < 3", "1.5 s - 2 < 3"),
        ("a\\", "a\\\\"),
    ],
)
def test_markdown_functions_and_mentions_are_escaped(text, escaped):
    assert escape(text) == escaped


# --- Sending --------------------------------------------------------------------------------------------------------


def test_the_url_is_posted_to_byte_for_byte():
    posts = []
    http = SimpleNamespace(post=lambda url, body, headers: posts.append((url, headers)) or Answer(status=202))
    teams.send(
        Outgoing("d-1", "run_failed", "{}", {"url": URL}, at=samples.message().occurred_at), SimpleNamespace(http=http)
    )
    ((url, headers),) = posts
    assert url == URL
    assert headers["Content-Type"] == "application/json; charset=utf-8"


# --- Reading --------------------------------------------------------------------------------------------------------


def error(status, code):
    return Answer(status=status, body=json.dumps({"error": {"code": code, "message": "…"}}))


@pytest.mark.parametrize(
    "accepted", [Answer(status=202), Answer(status=200, body="1"), Answer(status=200, body='{"a":1}')]
)
def test_2xx_means_accepted_and_never_delivered(accepted):
    assert teams.read(accepted).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    ("body", "verdict", "attributes"),
    [
        (
            "Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            Verdict.RETRY,
            {"limited": True, "retry_after": 30.0},
        ),
        ("Microsoft Teams endpoint returned HTTP error 503", Verdict.RETRY, {"limited": False}),
        ("Microsoft Teams endpoint returned HTTP error 413", Verdict.FAILED, {"too_large": True}),
        ("Microsoft Teams endpoint returned HTTP error 400", Verdict.FAILED, {"gone": False}),
        ("Microsoft Teams endpoint returned HTTP error 410", Verdict.FAILED, {"gone": True}),
        ("Request Entity too large", Verdict.FAILED, {"too_large": True}),
        ("Webhook message delivery failed with error: …", Verdict.FAILED, {"gone": False}),
        ("Summary or Text is required.", Verdict.FAILED, {"gone": False}),
        ('{"error": {"code": "InvalidTemplate"}}', Verdict.FAILED, {"gone": False}),
        ('{"error": "no"}', Verdict.FAILED, {"gone": False}),
        ('{"error": {"code": "WorkflowTriggerIsNotEnabled"}}', Verdict.FAILED, {"gone": True}),
    ],
)
def test_a_2xx_whose_body_reports_an_error_is_a_failure(status, body, verdict, attributes):
    reading = teams.read(Answer(status=status, body=body))
    assert reading.verdict is verdict
    assert {name: getattr(reading, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    "gone",
    [
        error(400, "WorkflowTriggerIsNotEnabled"),
        error(401, "DirectApiAuthorizationRequired"),
        error(403, "AuthorizationFailed"),
        error(404, "WorkflowNotFound"),
        Answer(status=401),
        Answer(status=403, body="<html>"),
        Answer(status=404, body="<html>"),
        Answer(status=410),
    ],
)
def test_a_workflow_that_is_gone_suspends_the_channel(gone):
    reading = teams.read(gone)
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, True)


def test_the_sentence_says_what_happened_and_what_to_do():
    assert teams.read(error(400, "WorkflowTriggerIsNotEnabled")).sentence == (
        "Teams answered 400 WorkflowTriggerIsNotEnabled: the workflow is turned off. "
        "Turn it on in Power Automate, then send a test."
    )


def test_a_code_that_is_no_word_is_not_repeated():
    assert "sig" not in teams.read(error(400, "https://x/?sig=1")).sentence


@pytest.mark.parametrize(
    "final", [error(400, "InvalidTemplate"), Answer(status=400), Answer(status=302), Answer(status=405)]
)
def test_other_refusals_are_final(final):
    reading = teams.read(final)
    assert (reading.verdict, reading.gone, reading.too_large) == (Verdict.FAILED, False, False)


@pytest.mark.parametrize("too_large", [Answer(status=413), Answer(status=400, body="Request Entity too large")])
def test_too_large_asks_for_a_smaller_rendering(too_large):
    assert teams.read(too_large).too_large is True


@pytest.mark.parametrize(("headers", "wait"), [({}, 30.0), ({"retry-after": "7"}, 7.0)])
def test_a_limit_is_waited_for(headers, wait):
    reading = teams.read(Answer(status=429, headers=headers))
    assert (reading.verdict, reading.limited, reading.retry_after) == (Verdict.RETRY, True, wait)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_temporary_statuses_are_tried_again(status):
    assert teams.read(error(status, "NoResponse")).verdict is Verdict.RETRY


def test_an_unknown_host_is_tried_again_and_a_blocked_address_is_final():
    assert teams.read(Answer(trouble=Trouble.DNS)).verdict is Verdict.RETRY
    assert teams.read(Answer(trouble=Trouble.BLOCKED)).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d", "classic Office 365 connector"),
        ("https://elsewhere.example/hook", "would not be accepted today"),
        ("", "would not be accepted today"),
    ],
)
def test_a_stored_url_that_may_not_work_is_warned_of(url, words):
    (warning,) = teams.warnings({"url": url})
    assert words in warning


def test_a_stored_workflow_needs_no_warning():
    assert teams.warnings({"url": URL}) == ()
