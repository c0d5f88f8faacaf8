"""No form in which a receiver may echo our secrets is kept."""

import html
import json
from urllib.parse import quote

import pytest

from notifications.delivery.scrub import MASK, scrub, secrets_of
from tests.factories import CONFIGS

SECRET = "whsec_ab/cd+ef/ghijklmnopqrstuvwxyz0123456789AB=="
PASTED = 'päss"word & more/than that'
URL = "https://hooks.example.com/in/abc-d/ef+gh1234?token=q/r+s%2Ftu&v=1"


def escaped(text):
    return json.dumps(text)[1:-1].replace("/", "\\/")


@pytest.mark.parametrize(
    "form",
    [
        str,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        escaped,
        lambda text: quote(text, safe=""),
        html.escape,
        lambda text: f"<b>{text}</b>" * 3,
    ],
)
@pytest.mark.parametrize(
    ("config", "secret"),
    [
        ({"secret": SECRET}, SECRET),
        ({"secret": SECRET}, SECRET.removeprefix("whsec_")),
        ({"secret": "old" * 8, "next_secret": SECRET}, SECRET),
        ({"secret": PASTED}, PASTED),
        ({"url": URL}, URL),
        ({"url": URL}, URL.partition(".com")[2]),
        *((CONFIGS[kind], CONFIGS[kind]["url"]) for kind in ("slack", "discord", "teams", "webhook")),
    ],
)
def test_a_secret_is_masked_in_every_form(form, config, secret):
    answer = scrub(f"you sent: {form(secret)}, right?", secrets_of(config))
    assert form(secret) not in answer
    assert secret not in answer
    assert MASK in answer
    assert answer.startswith("you sent: ")


def test_its_long_parts_are_masked_alone():
    secrets = secrets_of({"url": URL})
    assert scrub("no hook ef+gh1234", secrets) == f"no hook {MASK}"
    assert scrub("token q/r+s/tu", secrets) == f"token {MASK}"
    assert scrub("in v=1", secrets) == "in v=1"


@pytest.mark.parametrize("url", ["https://[::1]public.example.com/", "https://[::1", "none", "", "://", "https://a?b"])
def test_what_is_no_url_is_no_reason_to_fail(url):
    assert scrub(f"echo {url}", secrets_of({"url": url})).startswith("echo")


def test_a_secret_at_the_edge_is_masked_before_the_text_is_cut():
    text = "x" * 4090 + SECRET
    assert scrub(text, secrets_of({"secret": SECRET})) == "x" * 4090 + MASK
