"""What an email channel accepts as its configuration."""

from datetime import time

import pytest

from notifications.channels.email import Email
from projects.errors import Invalid

email = Email()


def test_nothing_submitted_means_the_owner_at_once():
    checked = email.check({}, None)
    assert (checked.recipients, checked.mode, checked.digest_time, dict(checked.config)) == ((), "immediate", None, {})


def test_addresses_are_stored_normalised_in_their_order():
    checked = email.check({"recipients": [" Zoe@Example.COM ", "ann@bücher.example"]}, None)
    assert checked.recipients == ("zoe@example.com", "ann@bücher.example")


def test_what_is_not_submitted_keeps_its_value():
    current = {"recipients": ("ann@example.com",), "mode": "immediate", "digest_time": None}
    assert email.check({"mode": "immediate"}, current).recipients == ("ann@example.com",)
    assert email.check({"recipients": []}, current).recipients == ()


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [
        ("ann@example.com", "Give a list of email addresses."),
        (None, "Give a list of email addresses."),
        ({"ann@example.com": 1}, "Give a list of email addresses."),
        ([1], "Every recipient must be an email address as text."),
        ([None], "Every recipient must be an email address as text."),
        ([["ann@example.com"]], "Every recipient must be an email address as text."),
        (["ann"], "“ann” is not an email address."),
        ([""], "“” is not an email address."),
        (["Ann <ann@example.com>"], "“ann <ann@example.com>” is not an email address."),
        (["ann@example.com, bob@example.com"], "“ann@example.com, bob@example.com” is not an email address."),
        (["ann@example.com\nbcc: bob@example.com"], "“ann@example.com\nbcc: bob@example.com” is not an email address."),
        (['"a\x01b"@example.com'], '“"a\x01b"@example.com” is not an email address.'),
        (["ann@example.com", "ANN@example.com"], "“ann@example.com” is in the list more than once."),
        ([f"a{n}@example.com" for n in range(21)], "At most 20 addresses; these are 21."),
        (["a" * 250 + "@example.com"], f"“{'a' * 59}…” is not an email address."),
    ],
)
def test_bad_recipients_are_refused_with_a_sentence(recipients, sentence):
    with pytest.raises(Invalid) as refusal:
        email.check({"recipients": recipients}, None)
    assert refusal.value.fields == {"recipients": [sentence]}


def test_every_bad_address_is_named():
    with pytest.raises(Invalid) as refusal:
        email.check({"recipients": ["ann", "ok@example.com", "bob@"]}, None)
    assert len(refusal.value.fields["recipients"]) == 2


def test_twenty_addresses_are_accepted():
    assert len(email.check({"recipients": [f"a{n}@example.com" for n in range(20)]}, None).recipients) == 20


@pytest.mark.parametrize(
    ("submitted", "current", "expected"),
    [
        ({"mode": "daily_digest", "digest_time": "07:15"}, None, time(7, 15)),
        ({"mode": "daily_digest", "digest_time": "00:00"}, None, time(0)),
        ({"mode": "daily_digest", "digest_time": "23:59"}, None, time(23, 59)),
        ({"mode": "daily_digest"}, None, time(8)),
        ({"mode": "daily_digest", "digest_time": None}, None, time(8)),
        ({"mode": "daily_digest", "digest_time": ""}, None, time(8)),
        ({"recipients": []}, {"mode": "daily_digest", "digest_time": time(6, 30)}, time(6, 30)),
        ({"digest_time": "09:45"}, {"mode": "daily_digest", "digest_time": time(6, 30)}, time(9, 45)),
    ],
)
def test_a_daily_digest_has_a_time(submitted, current, expected):
    checked = email.check(submitted, current)
    assert (checked.mode, checked.digest_time) == ("daily_digest", expected)


def test_leaving_the_daily_digest_drops_its_time():
    checked = email.check({"mode": "immediate"}, {"mode": "daily_digest", "digest_time": time(6, 30)})
    assert (checked.mode, checked.digest_time) == ("immediate", None)


@pytest.mark.parametrize(
    "digest_time", ["24:00", "7:15", "07:60", "07:15:00", "0715", "noon", "٠٧:١٥", 7, [], "07:15\n"]
)
def test_what_is_no_time_of_day_is_refused(digest_time):
    with pytest.raises(Invalid) as refusal:
        email.check({"mode": "daily_digest", "digest_time": digest_time}, None)
    assert refusal.value.fields == {"digest_time": ["Give a time from 00:00 to 23:59, such as 07:30."]}


@pytest.mark.parametrize("mode", ["hourly", "", None, 1, [], {}])
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(Invalid) as refusal:
        email.check({"mode": mode}, None)
    assert list(refusal.value.fields) == ["mode"]


@pytest.mark.parametrize("digest_time", ["08:00", time(8), 8])
def test_a_digest_time_without_the_digest_is_refused(digest_time):
    with pytest.raises(Invalid) as refusal:
        email.check({"digest_time": digest_time}, None)
    assert list(refusal.value.fields) == ["digest_time"]


@pytest.mark.parametrize("digest_time", ["", None])
def test_an_empty_digest_time_is_none(digest_time):
    assert email.check({"digest_time": digest_time}, None).digest_time is None


def test_all_mail_shares_one_host():
    assert email.host({}) == "email"
