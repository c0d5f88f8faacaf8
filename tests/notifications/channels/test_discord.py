import json
from types import SimpleNamespace

import pytest

from notifications.channels.base import Answer, Outgoing, Trouble, Verdict
from notifications.channels.discord import Discord
from notifications.channels.discord.rendering import escape
from projects.errors import Invalid
from tests.notifications.channels import samples

ID = "123456789012345678"
TOKEN = "abc_DEF-secret"
URL = f"https://discord.com/api/v10/webhooks/{ID}/{TOKEN}"
discord = Discord()


def refusal(url):
    with pytest.raises(Invalid) as caught:
        discord.check({"url": url}, None)
    (sentence,) = caught.value.fields["url"]
    return sentence


# --- Configuration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com", "DISCORD.com:443"]
)
@pytest.mark.parametrize("version", ["", "/v8", "/v10"])
@pytest.mark.parametrize("suffix", ["", "/", "/slack", "/github", "/slack/", "?wait=true"])
def test_every_form_of_a_webhook_is_stored_as_one(host, version, suffix):
    checked = discord.check({"url": f"https://{host}/api{version}/webhooks/{ID}/{TOKEN}{suffix}"}, None)
    assert (checked.config["url"], checked.url) == (URL, URL)


def test_the_thread_of_a_forum_channel_is_kept():
    checked = discord.check({"url": f"{URL}?wait=false&thread_id={ID}"}, None)
    assert checked.url == f"{URL}?thread_id={ID}"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (f"https://example.com/api/webhooks/{ID}/{TOKEN}", "not a Discord webhook URL"),
        (f"https://discord.com.evil.example/api/webhooks/{ID}/{TOKEN}", "not a Discord webhook URL"),
        (f"https://evildiscord.com/api/webhooks/{ID}/{TOKEN}", "not a Discord webhook URL"),
        (f"https://discord.com/api/webhooks/{ID}", "webhooks/id/token"),
        (f"https://discord.com/api/webhooks/123/{TOKEN}", "webhooks/id/token"),
        (f"https://discord.com/api/webhooks/{ID}/{TOKEN}/messages/1", "webhooks/id/token"),
        (f"https://discord.com/channels/{ID}/{ID}?secret", "webhooks/id/token"),
        (f"{URL}?thread_id=secret", "thread_id"),
        (f"{URL}?thread_id={ID}&thread_id={ID}", "thread_id"),
        (f"http://discord.com/api/webhooks/{ID}/{TOKEN}", "https://"),
        (f"https://discord.com:444/api/webhooks/{ID}/{TOKEN}", "port 444"),
    ],
)
def test_other_urls_are_refused_with_a_hint_that_keeps_the_secret(url, hint):
    sentence = refusal(url)
    assert hint in sentence
    assert "secret" not in sentence
    assert ID not in sentence


def test_the_target_is_masked():
    assert discord.target({"url": URL}) == "discord.com/…cret"
    assert discord.host({"url": URL}) == "discord.com"


# --- Rendering ------------------------------------------------------------------------------------------------------


def rendered(*, context=None, **options):
    return json.loads(discord.render(samples.message(**options), context or samples.context()))


def test_one_embed_has_the_colour_the_facts_and_the_failures():
    payload = rendered()
    (embed,) = payload["embeds"]
    assert payload["username"] == "AegisRunner"
    assert payload["allowed_mentions"] == {"parse": []}
    assert embed["title"] == "❌ Checkout flow failed"
    assert embed["author"]["name"] == "Acme Web"
    assert embed["color"] == 0xD92D20
    assert embed["url"] == samples.RUN_URL
    assert embed["timestamp"] == "2026-04-28T10:42:11.000+00:00"
    facts = {field["name"]: field["value"] for field in embed["fields"] if field["inline"]}
    assert facts == {
        "Passed": "14",
        "Failed": "5",
        "Skipped": "1",
        "Browser": "chromium",
        "Environment": "staging",
        "Duration": "38.4 s",
        "Schedule": "Every night",
    }
    assert [field["name"] for field in embed["fields"] if not field["inline"]] == [
        "test\\_pay\\_0",
        "test\\_pay\\_1",
        "test\\_pay\\_2",
        "and 2 more",
    ]


def test_links_lead_to_the_run_and_to_the_reason():
    (embed,) = rendered()["embeds"]
    assert embed["description"].splitlines()[1] == (
        f"[Open run]({samples.RUN_URL}) · [Why did I get this?]({samples.EVENT_URL})"
    )


def test_a_link_to_this_network_stands_in_the_text_alone():
    (embed,) = rendered(facts={**samples.FAILED_RUN, "url": "http://localhost:8000/runs/1"})["embeds"]
    assert "url" not in embed
    assert "(http://localhost:8000/runs/1)" in embed["description"]


def test_a_long_link_stands_behind_the_title_alone():
    url = "https://aegisrunner.com/" + "x" * 1500
    (embed,) = rendered(facts={**samples.FAILED_RUN, "url": url})["embeds"]
    assert embed["url"] == url
    assert url not in embed["description"]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@everyone", "@\u200beveryone"),
        ("<@123>", "<\u200b@\u200b123>"),
        ("[x](http://evil.example)", "\\[x\\]\\(http\\://evil.example\\)"),
        ("*b* _i_ ~~s~~ `c` ||spoiler||", "\\*b\\* \\_i\\_ \\~\\~s\\~\\~ \\`c\\` \\|\\|spoiler\\|\\|"),
        ("a\\", "a\\\\"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("> quote", "\\> quote"),
        ("1. item", "1\\. item"),
        (":tada: at 10:30", "\\:tada: at 10:30"),
        ("a - b > c # d", "a - b > c # d"),
    ],
)
def test_markdown_and_mentions_are_escaped(text, escaped):
    assert escape(text) == escaped


# --- Sending --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "posted"),
    [(URL, f"{URL}?wait=true"), (f"{URL}?thread_id={ID}", f"{URL}?thread_id={ID}&wait=true")],
)
def test_discord_is_asked_to_wait_and_told_who_we_are(url, posted):
    posts = []
    http = SimpleNamespace(post=lambda url, body, headers: posts.append((url, headers)) or Answer(status=200))
    outgoing = Outgoing("d-1", "run_failed", "{}", {"url": url}, at=samples.message().occurred_at)
    discord.send(outgoing, SimpleNamespace(http=http))
    ((sent_to, headers),) = posts
    assert sent_to == posted
    assert headers["User-Agent"].startswith("DiscordBot (https://aegisrunner.com, ")
    assert headers["Content-Type"] == "application/json; charset=utf-8"


# --- Reading --------------------------------------------------------------------------------------------------------


def answer(status, code=None, headers=None, **body):
    text = json.dumps({"message": "…", "code": code, **body}) if code is not None or body else ""
    return Answer(status=status, body=text, headers=headers or {})


@pytest.mark.parametrize("status", [200, 204])
def test_2xx_means_delivered(status):
    assert discord.read(Answer(status=status)).verdict is Verdict.OK


def test_a_spent_bucket_asks_the_next_message_to_wait():
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.25"}
    assert discord.read(Answer(status=200, headers=headers)).retry_after == 1.25
    assert discord.read(Answer(status=200, headers={**headers, "x-ratelimit-remaining": "1"})).retry_after is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, 10015),
        (404, 10003),
        (404, 0),
        (404, None),
        (401, 50027),
        (401, 0),
        (403, 50001),
        (403, None),
        (400, 220001),
        (400, 220002),
        (400, 220003),
        (410, None),
    ],
)
def test_a_webhook_that_is_gone_suspends_the_channel(status, code):
    reading = discord.read(answer(status, code))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, True)


def test_the_sentence_says_what_happened_and_what_to_do():
    assert discord.read(answer(404, 10015)).sentence == (
        "Discord answered 404 Unknown Webhook: the webhook was deleted. "
        "Create a new one under the channel's settings → Integrations → Webhooks and replace the URL."
    )


@pytest.mark.parametrize("code", [50035, 50006, 50109])
def test_a_message_that_discord_cannot_read_is_our_fault_and_final(code):
    reading = discord.read(answer(400, code))
    assert (reading.verdict, reading.gone, reading.too_large) == (Verdict.FAILED, False, False)
    assert "fault of ours" in reading.sentence


@pytest.mark.parametrize("blocked", [answer(403, 40333), Answer(status=403, body="<!doctype html><title>Attention")])
def test_a_block_by_the_proxy_is_not_the_webhooks_fault(blocked):
    reading = discord.read(blocked)
    assert (reading.verdict, reading.gone, reading.ours) == (Verdict.RETRY, False, True)
    assert (reading.retry_after, reading.everybody) == (600, True)


@pytest.mark.parametrize(
    ("limited", "everybody"),
    [
        (answer(429, retry_after=1), False),
        (answer(429, retry_after=1, **{"global": False}), False),
        (answer(429, retry_after=1, **{"global": True}), True),
        (answer(429, retry_after=1, headers={"x-ratelimit-global": "true"}), True),
        (Answer(status=429, body="error code: 1015"), True),
    ],
)
def test_a_limit_of_our_address_holds_all_webhooks(limited, everybody):
    assert discord.read(limited).everybody is everybody


@pytest.mark.parametrize("too_large", [answer(413, 40005), answer(400, 40005), answer(413)])
def test_too_large_asks_for_a_smaller_rendering(too_large):
    reading = discord.read(too_large)
    assert (reading.verdict, reading.too_large, reading.gone) == (Verdict.FAILED, True, False)


@pytest.mark.parametrize(
    ("limited", "wait"),
    [
        (answer(429, retry_after=64.57, headers={"retry-after": "65"}), 65.0),
        (answer(429, retry_after=64.57, headers={"retry-after": "64"}), 64.57),
        (answer(429, retry_after=0.3), 0.3),
        (answer(429, retry_after="soon"), 1.0),
        (answer(429, headers={"retry-after": "2"}), 2.0),
        (Answer(status=429, body="<html>"), 600.0),
    ],
)
def test_a_limit_is_waited_for_as_long_as_header_or_body_say(limited, wait):
    reading = discord.read(limited)
    assert (reading.verdict, reading.limited, reading.retry_after) == (Verdict.RETRY, True, wait)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503])
def test_temporary_statuses_are_tried_again(status):
    assert discord.read(answer(status, 0)).verdict is Verdict.RETRY


@pytest.mark.parametrize("status", [301, 302, 400, 405, 422])
def test_everything_else_is_final(status):
    reading = discord.read(Answer(status=status))
    assert (reading.verdict, reading.gone) == (Verdict.FAILED, False)


@pytest.mark.parametrize(
    "body", ["[]", "null", '"x"', '{"code": "10015"}', '{"code": [1]}', "[" * 50_000, '{"code": 1e999}']
)
def test_bodies_of_another_shape_are_read_by_the_status(body):
    assert discord.read(Answer(status=400, body=body)).verdict is Verdict.FAILED


def test_a_blocked_address_is_final():
    assert discord.read(Answer(trouble=Trouble.BLOCKED)).verdict is Verdict.FAILED
    assert discord.read(Answer(trouble=Trouble.DNS)).verdict is Verdict.RETRY
