import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications.channels import answers
from notifications.channels.base import Answer, Trouble, Verdict
from notifications.channels.discord import Discord
from notifications.channels.slack import Slack
from notifications.channels.teams import Teams

DATE = "Tue, 28 Apr 2026 10:42:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Tue, 28 Apr 2026 10:44:30 GMT", "date": DATE}, 150.0),
        ({"retry-after": "Tue, 28 Apr 2026 10:40:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Tue, 28 Apr 2026 12:44:30 -0000", "date": DATE}, 7350.0),
        ({"retry-after": "Tue, 28 Apr 2026 10:44:30 GMT"}, None),
        ({"retry-after": "Tue, 28 Apr 2026 10:44:30 GMT", "date": "today"}, None),
        ({"retry-after": "Tue, 99 Apr 99999 10:44:30 GMT", "date": DATE}, None),
    ],
)
def test_retry_after_is_seconds_fractions_or_a_date(headers, seconds):
    assert answers.retry_after_seconds(headers) == seconds


@hypothesis_settings(deadline=None)
@given(st.text(), st.text())
def test_retry_after_is_never_negative_and_never_raises(value, date):
    seconds = answers.retry_after_seconds({"retry-after": value, "date": date})
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_a_sentence_with_its_detail(trouble):
    reading = answers.read_trouble(Answer(trouble=trouble, detail="a detail."), "The endpoint")
    assert reading.verdict is (Verdict.FAILED if trouble is Trouble.BLOCKED else Verdict.RETRY)
    assert reading.ours is (trouble is Trouble.OURS)
    assert reading.sentence.endswith(".")
    assert ("(a detail)" in reading.sentence) is (trouble is not Trouble.TIMEOUT)


def test_neither_status_nor_trouble_is_a_broken_connection():
    reading = answers.read_trouble(Answer(), "The endpoint")
    assert reading.verdict is Verdict.RETRY
    assert reading.sentence.startswith("The connection to the endpoint failed")


def test_a_status_is_no_trouble():
    assert answers.read_trouble(Answer(status=500), "Slack") is None


@pytest.mark.parametrize(("status", "wait"), [(429, 9.0), (503, 9.0), (500, None), (408, None)])
def test_retry_after_counts_on_429_and_503(status, wait):
    reading = answers.read_temporary(Answer(status=status, headers={"retry-after": "9"}), "Slack")
    assert (reading.verdict, reading.retry_after, reading.limited) == (Verdict.RETRY, wait, status == 429)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 410, 600])
def test_other_statuses_are_not_temporary(status):
    assert answers.read_temporary(Answer(status=status), "Slack") is None


@pytest.mark.parametrize("kind", [Slack(), Discord(), Teams()], ids=lambda kind: kind.name)
@hypothesis_settings(deadline=None)
@given(
    status=st.integers(min_value=0, max_value=999),
    body=st.text()
    | st.sampled_from(["ok", "[" * 9000, '{"code":1,"retry_after":-1}', '{"error":[]}', "HTTP error 999"]),
    headers=st.dictionaries(st.sampled_from(["retry-after", "date", "x-ratelimit-remaining"]), st.text()),
)
def test_any_answer_is_read_and_only_2xx_is_a_success(kind, status, body, headers):
    reading = kind.read(Answer(status=status, body=body, headers=headers))
    assert reading.sentence
    if reading.verdict in (Verdict.OK, Verdict.ACCEPTED):
        assert 200 <= status <= 299
    if status == 410:
        assert reading.gone
    if reading.gone or reading.too_large:
        assert reading.verdict is Verdict.FAILED


@pytest.mark.parametrize("kind", [Slack(), Discord(), Teams()], ids=lambda kind: kind.name)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 410, 429, 500])
def test_what_a_receiver_echoes_is_never_repeated(kind, status):
    echo = '{"error":{"code":"https://hooks.example.com/secret","message":"secret"},"message":"secret","code":"secret"}'
    assert "secret" not in kind.read(Answer(status=status, body=echo)).sentence
