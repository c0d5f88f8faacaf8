"""The mail that people get: complete as text, safe and small as HTML, for any input."""

import re
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.notifications.channels.email_samples import context, message, rendered

LIMIT = 80_000


def page(mail):
    return BeautifulSoup(mail["html"], "html.parser")


def links(mail):
    return {link.get_text(strip=True): link["href"] for link in page(mail).find_all("a")}


def shown(mail):
    return page(mail).body.get_text(" ", strip=True)


def test_the_subject_says_it_all():
    assert rendered()["subject"] == "[Acme Web] Checkout flow failed: 2 of 15 tests"


def test_text_and_html_tell_the_same_facts():
    mail = rendered()
    for fact in (
        "Checkout flow failed",
        "2 of 15 tests failed in 38.4 s.",
        "Acme Web",
        "24 Nov 2026, 11:42 (Europe/Berlin)",
        "chromium",
        "staging",
        "38.4 s",
        "pays with saved card",
        "Timed out waiting for “Order confirmed” (10 s)",
        "applies a voucher",
        "Expected total 42.00, got 52.00",
        "You get run_failed for Acme Web by email because the global flag is on.",
        "AegisRunner",
    ):
        assert fact in mail["text"]
        assert fact in shown(mail)
    for count in ("Passed: 12", "Failed: 2", "Skipped: 1"):
        assert count in mail["text"]
        assert count.replace(":", "") in shown(mail)


def test_the_text_is_laid_out_for_reading():
    assert rendered()["text"] == (
        "Checkout flow failed\n"
        "2 of 15 tests failed in 38.4 s.\n"
        "\n"
        "Project: Acme Web\n"
        "When: 24 Nov 2026, 11:42 (Europe/Berlin)\n"
        "Browser: chromium\n"
        "Environment: staging\n"
        "Duration: 38.4 s\n"
        "\n"
        "Passed: 12\n"
        "Failed: 2\n"
        "Skipped: 1\n"
        "\n"
        "WHAT FAILED\n"
        "- pays with saved card\n"
        "  Timed out waiting for “Order confirmed” (10 s)\n"
        "- applies a voucher\n"
        "  Expected total 42.00, got 52.00\n"
        "\n"
        "Open run: https://app.example.com/runs/1?tab=a&b=c\n"
        "Why did I get this? https://notify.example.com/events/1/why/\n"
        "\n"
        "--\n"
        "You get run_failed for Acme Web by email because the global flag is on.\n"
        "Stop these emails for Acme Web: https://notify.example.com/u/token:1:2/\n"
        "Email preferences: https://notify.example.com/settings/email/\n"
        "\n"
        "AegisRunner\n"
    )


@pytest.mark.parametrize(
    ("kind", "event", "facts"),
    [
        ("crawl", "crawl_completed", ["Scan completed", "Pages found: 50", "Coverage: 80%", "Issues: 3"]),
        ("generation", "ai_generated", ["AI tests generated", "Tests: 12", "Suites: 2", "Awaiting review: 7"]),
    ],
)
def test_scans_and_generations_carry_their_own_facts(kind, event, facts):
    mail = rendered(kind=kind, event=event)
    for fact in facts:
        assert fact in mail["text"]
        assert fact.replace(":", "") in shown(mail)
    assert "WHAT FAILED" not in mail["text"]


def test_the_html_is_a_mail_not_a_page():
    mail = rendered()
    document = page(mail)
    assert len(document.find_all("h1")) == 1
    assert document.html["lang"] == "en"
    assert document.title.string == mail["subject"]
    assert all(table["role"] == "presentation" for table in document.find_all("table"))
    assert document.find("table", class_="wrap")["width"] == "600"
    assert not document.find_all(["img", "script", "link", "iframe", "form"])
    assert not re.search(r"url\(|@import", mail["html"])
    assert "color:" in document.h1["style"]
    kept = document.find("style").string
    assert "prefers-color-scheme: dark" in kept
    assert "[data-ogsc]" in kept
    assert document.find(class_="preheader").string == "First failure: pays with saved card"


def test_a_member_can_look_up_why_and_choose():
    assert links(rendered()) == {
        "Open run": "https://app.example.com/runs/1?tab=a&b=c",
        "Why did I get this?": "https://notify.example.com/events/1/why/",
        "Stop these emails for Acme Web": "https://notify.example.com/u/token:1:2/",
        "Email preferences": "https://notify.example.com/settings/email/",
    }


def test_somebody_else_reads_the_reason_but_gets_no_link_into_the_workspace():
    mail = rendered(about=context(is_member=False))
    assert set(links(mail)) == {"Open run", "Stop these emails for Acme Web"}
    assert "because the global flag is on" in mail["text"]
    for part in (mail["text"], mail["html"]):
        assert "https://notify.example.com/events/" not in part
        assert "https://notify.example.com/settings/" not in part


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/",
        "//example.com/",
        "https://",
        "https://exa mple.com/",
        "https://example.com/\r\nBcc: x@example.com",
        "https://user:pass@example.com/",
        "https://example.com/" + "a" * 3000,
        'https://example.com/"onclick="x',
    ],
)
def test_only_a_plain_web_address_becomes_the_button(url):
    mail = rendered(url=url)
    target = links(mail).get("Open run", "")
    assert target == "" or target == "https://example.com/%22onclick=%22x"
    assert ("Open run:" in mail["text"]) == bool(target)


def test_ten_failures_are_shown_and_all_are_counted():
    mail = rendered(failed=340, failures=[{"name": f"test {n}", "message": "boom"} for n in range(340)])
    assert "10 of 340 failures shown" in mail["text"]
    assert "10 of 340 failures shown" in shown(mail)
    assert "test 9" in mail["text"]
    assert "test 10" not in mail["text"]


def test_a_compact_mail_keeps_what_matters():
    full, compact = rendered(), rendered(compact=True)
    assert len(compact["html"]) < len(full["html"])
    assert "pays with saved card" not in compact["html"] + compact["text"]
    assert "2 of 15 tests failed" in compact["text"]
    assert links(compact) == links(full)
    assert compact["headers"] == full["headers"]


def test_a_test_message_says_so():
    mail = rendered(test=True)
    assert mail["subject"].startswith("Test: ")
    assert "Test message" in shown(mail)
    assert mail["text"].startswith("Test: ")


def test_the_zone_is_the_readers_and_named():
    assert "24 Nov 2026, 16:12 (Asia/Kolkata)" in rendered(about=context(zone=ZoneInfo("Asia/Kolkata")))["text"]


def test_markup_in_names_is_shown_as_text():
    hostile = "<b>x</b><img src=https://evil.example/x.png> & \"q\" 'a' {{ settings }} {% now 'Y' %}"
    mail = rendered(suite_name=hostile, project=hostile, browser=hostile, failures=[{"name": hostile}] * 3)
    assert not page(mail).find_all(["b", "img"])
    assert "{{ settings }}" in shown(mail)
    assert "<b>x</b>" in mail["text"]
    assert set(links(mail).values()) == set(links(rendered()).values())


def test_an_address_in_a_name_does_not_become_a_link_in_the_reader():
    mail = rendered(suite_name="Win at https://evil.example or www.evil.example")
    for part in (mail["text"], mail["html"].partition("<body")[2]):
        assert "evil.example" in part
        assert "://evil" not in part
        assert "www.evil" not in part


def test_the_headers_are_the_same_on_every_rendering_and_thread_by_suite():
    first, second = rendered()["headers"], rendered(id="run-2")["headers"]
    assert first == second
    assert first == {
        "Message-ID": "<delivery-0190a1b2-0000-7000-8000-000000000001@localhost>",
        "References": first["References"],
        "In-Reply-To": first["References"],
        "List-ID": '"Acme Web" <project-0190a1b2-0000-7000-8000-0000000000aa.events.localhost>',
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": "<https://notify.example.com/u/token:1:2/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    roots = {
        rendered()["headers"]["References"],
        rendered(suite_name="Other")["headers"]["References"],
        rendered(about=context(recipient="bob@acme.example"))["headers"]["References"],
        rendered(about=context(project_id="other"))["headers"]["References"],
    }
    assert len(roots) == 4


def test_the_domain_of_the_headers_is_the_senders(settings):
    settings.DEFAULT_FROM_EMAIL = "Aegis <notify@bücher.example>"
    assert rendered()["headers"]["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_a_list_name_that_is_not_ascii_is_encoded_and_the_id_is_not():
    value = rendered(project="Ünïcode «shop» " * 10)["headers"]["List-ID"]
    assert value.isascii()
    assert value.startswith("=?utf-8?")
    assert value.endswith("<project-0190a1b2-0000-7000-8000-0000000000aa.events.localhost>")
    assert rendered(project='A "B" \\ C')["headers"]["List-ID"].startswith('"A \\"B\\" \\\\ C" <')


def test_without_a_reader_there_is_no_unsubscribe_header():
    headers = rendered(about=context(unsubscribe_url=""))["headers"]
    assert not [name for name in headers if name.startswith("List-Unsubscribe")]


hostile_text = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "",
            "&" * 10_000,
            "<" * 10_000,
            "\u00a0" * 10_000,
            "😀" * 10_000,
            "שלום \u202e evil \u2066",
            "a\r\nBcc: victim@example.com\r\n\r\nbody",
            "\x00\x07\x1b[31m\x7f\ud800",
            "</style></title><script>alert(1)</script><a href='https://evil.example'>x</a>",
            "<!-- <![CDATA[ ]]> -->",
            "{% include 'x' %}{{ y }}",
            "x" * 10_000,
        ]
    ),
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    project=hostile_text,
    suite=hostile_text,
    browser=hostile_text,
    name=hostile_text,
    error=hostile_text,
    url=hostile_text,
    reason=hostile_text,
)
def test_any_input_makes_a_valid_small_mail(project, suite, browser, name, error, url, reason):
    mail = rendered(
        about=context(reason=reason),
        project=project,
        suite_name=suite,
        browser=browser,
        environment=browser,
        schedule={"id": "s", "name": suite},
        failed=340,
        failures=[{"name": name, "message": error}] * 340,
        url=url,
    )
    assert len(mail["html"].encode()) < LIMIT
    assert 0 < len(mail["subject"]) <= 150
    assert not {"Cc", "Zl", "Zp"} & {unicodedata.category(character) for character in mail["subject"]}
    document = page(mail)
    assert not document.find_all(["script", "img", "iframe"])
    assert all(link["href"].startswith(("https://", "http://")) for link in document.find_all("a"))
    assert len(document.find_all("a")) <= 4
    for value in mail["headers"].values():
        assert value.isascii()
        assert value.isprintable()
        assert len(value) < 900
    # Complete: every section and the way out are there, whatever stands between them.
    assert "WHAT FAILED" in mail["text"]
    assert mail["text"].count("\n- ") >= 10
    assert "10 of 340 failures shown" in mail["text"]
    assert "https://notify.example.com/u/token:1:2/" in mail["text"]
    assert mail["text"].rstrip().endswith("AegisRunner")


def test_the_worst_case_stays_under_the_limit():
    worst = "&\u00a0" * 5000
    mail = rendered(
        about=context(reason=worst),
        project=worst,
        suite_name=worst,
        browser=worst,
        environment=worst,
        schedule={"name": worst},
        failures=[{"name": worst, "message": worst}] * 10,
        url="https://example.com/?" + "&" * 1900,
    )
    assert len(mail["html"].encode()) < LIMIT


def test_a_message_is_rendered_without_line_breaks_of_its_own():
    assert "\n" not in message(suite_name="a\nb").subject
