"""What is taken out of text for operators, and what stays readable."""

import pytest

from aegisnotify.redaction import MASK, redact, worth_masking

TOKEN = "aegis_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
WHSEC = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {TOKEN} is unknown", TOKEN[6:]),
        (f"Authorization: Bearer {TOKEN}", TOKEN[6:]),
        ("{'Authorization': 'Bearer abc.def-ghi'}", "abc.def-ghi"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        (f"secret {WHSEC} staged", WHSEC[6:]),
        (r"secret whsec_ab\/cd+ef==", "cd+ef"),
        ("POST https://hooks.slack.com/services/T000/B000/slacksecret failed", "slacksecret"),
        (r"url https:\/\/hooks.slack.com\/services\/T000\/B000\/slacksecret", "slacksecret"),
        ("https://discord.com/api/v10/webhooks/123/discord-token?wait=true", "discord-token"),
        ("see https://prod-01.westeurope.logic.azure.com:443/workflows/abc?sig=teamssig", "teamssig"),
        ("https://hooks.example.com?key=s3cret-key", "s3cret-key"),
        (
            "HTTPSConnectionPool(host='hooks.slack.com', port=443): Max retries exceeded with url: "
            "/services/T000/B000/slacksecret (Caused by NewConnectionError())",
            "slacksecret",
        ),
        ("404 Client Error: Not Found for url: https://example.com/hook/s3cret", "s3cret"),
        ("Not Found: /api/webhooks/123/discord-token", "discord-token"),
        ("Not Found: /services/T000/B000/slacksecret", "slacksecret"),
        ("Bad Request: /invitations/eyJpIjoxfQ:1tX2aB:c2lnbmF0dXJlc2lnbmF0dXJlc2ln/", "c2lnbmF0"),
        ("Internal Server Error: /u/eyJpIjoxfQ:1tX2aB:c2lnbmF0dXJl/", "c2lnbmF0"),
        ("Internal Server Error: /password-reset/MQ/c5abc-1234567890abcdef1234567890abcdef/", "1234567890abcdef"),
        ("link eyJpIjoxfQ:1tX2aB:c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0", "c2lnbmF0"),
        ("connection to postgresql://aegis:p4ssw0rd@db:5432/aegis failed", "p4ssw0rd"),
        ("postgresql://aegis:p@ss:w0rd@db:5432/aegis", "w0rd"),
        ("redis://:p4ssw0rd@cache:6379/0", "p4ssw0rd"),
        ("https://user:p4ssw0rd@example.com/x", "p4ssw0rd"),
        ("host=db user=aegis password=p4ssw0rd dbname=x", "p4ssw0rd"),
        ("{'secret': 'a pasted secret of words', 'url': 1}", "pasted"),
        ('{"next_secret": "another pasted one"}', "pasted"),
        ("DETAIL: Failing row contains (1, gAAAAABmYWtlZmFrZWZha2VmYWtlZmFrZQ==)", "YWtlZmFr"),
        ("secret = 'a pasted one'", "pasted"),
        ("Cookie: sessionid=abcdef123456; csrftoken=x", "abcdef123456"),
    ],
)
def test_secrets_are_masked(text, secret):
    assert secret in text
    masked = redact(text)
    assert secret not in masked
    assert MASK in masked
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "The worker is up.",
        'File "/srv/notifications/services/channels.py", line 12, in create_channel',
        "Channel 0192f0c1-0000-7000-8000-000000000000: a warning could not be mailed: OperationalError",
        "run_failed by webhook: retry (503). The receiver answers 503, which mostly passes.",
        "connection to server at 10.0.0.5, port 5432 failed: Connection refused",
        "aegis_ci at https://hooks.slack.com",
        "Not Found: /projects/acme-web",
        "    token = tokens.find_token(text) if text.startswith(PREFIX) else None",
    ],
)
def test_ordinary_lines_stay_as_they_are(text):
    assert redact(text) == text


def test_known_secrets_go_wherever_they_stand():
    assert redact("key=x ünïque-pasted-key!", ["ünïque-pasted-key!"]) == f"key=x {MASK}"


def test_only_texts_long_enough_are_looked_for_the_longest_first():
    assert worth_masking(["postgres", "pw", None, "", "longer-secret", "postgres"]) == ("longer-secret", "postgres")
