"""What the answers of mail servers and providers mean."""

import pytest

from notifications.channels.base import Answer, Trouble, Verdict
from notifications.channels.email import Email
from notifications.channels.email.answers import ADDRESS, API, CONTENT, STAGE

read = Email().read


def test_no_answer_but_no_trouble_is_handed_over():
    reading = read(Answer())
    assert reading.verdict is Verdict.ACCEPTED
    assert "Handed over" in reading.sentence


@pytest.mark.parametrize("status", [421, 450, 451, 452])
def test_not_now_is_tried_again_and_blames_nobody(status):
    reading = read(Answer(status, body="4.2.0 try later"))
    assert (reading.verdict, reading.bounced, reading.ours) == (Verdict.RETRY, False, False)
    assert str(status) in reading.sentence


@pytest.mark.parametrize(
    ("status", "body", "bounced"),
    [
        (550, "5.1.1 no such user", True),
        (550, "No such user here", True),
        (551, "User not local", True),
        (553, "5.1.3 bad address syntax", True),
        (550, "5.2.1 mailbox disabled", True),
        (554, "5.1.1 unknown", True),
        (552, "mailbox full", False),
        (552, "5.2.2 over quota", False),
        (554, "5.7.1 spam", False),
        (554, "rejected", False),
        (550, "5.7.1 relaying denied", False),
        (550, "5.2.2 over quota", False),
        (553, "5.1.8 sender domain does not exist", False),
        (500, "what?", False),
    ],
)
def test_never_is_final_and_only_an_address_that_does_not_exist_is_marked(status, body, bounced):
    reading = read(Answer(status, body=body))
    assert (reading.verdict, reading.bounced) == (Verdict.FAILED, bounced)


def test_a_bare_550_after_the_content_judges_the_mail_not_the_mailbox():
    assert not read(Answer(550, {STAGE: CONTENT}, "message rejected")).bounced
    assert read(Answer(550, {STAGE: CONTENT}, "5.1.1 no such user")).bounced


@pytest.mark.parametrize("status", [None, 535])
def test_our_own_fault_is_tried_again_and_uses_up_no_try(status):
    reading = read(Answer(status, trouble=Trouble.OURS, detail="The mail server refused our sign-in."))
    assert (reading.verdict, reading.ours, reading.bounced) == (Verdict.RETRY, True, False)
    assert reading.sentence.startswith("The mail server refused our sign-in.")


def test_any_other_trouble_is_tried_again():
    assert read(Answer(trouble=Trouble.TIMEOUT)).verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "limited", "retry_after"),
    [
        (429, {"retry-after": "90"}, Verdict.RETRY, True, 90.0),
        (429, {}, Verdict.RETRY, True, None),
        (429, {"retry-after": "soon"}, Verdict.RETRY, True, None),
        (500, {}, Verdict.RETRY, False, None),
        (503, {}, Verdict.RETRY, False, None),
        (None, {}, Verdict.RETRY, False, None),
        (408, {}, Verdict.RETRY, False, None),
        (422, {}, Verdict.FAILED, False, None),
    ],
)
def test_a_providers_http_answer_is_not_read_like_smtp(status, headers, verdict, limited, retry_after):
    reading = read(Answer(status, {STAGE: API, **headers}))
    assert (reading.verdict, reading.limited, reading.retry_after) == (verdict, limited, retry_after)
    assert not reading.bounced


def test_an_address_that_the_provider_refuses_is_marked():
    reading = read(Answer(headers={STAGE: ADDRESS}))
    assert (reading.verdict, reading.bounced) == (Verdict.FAILED, True)


def test_a_mail_that_can_not_be_built_is_final():
    reading = read(Answer(headers={STAGE: CONTENT}))
    assert (reading.verdict, reading.bounced) == (Verdict.FAILED, False)


def test_a_servers_text_stands_in_the_sentence_on_one_short_line():
    sentence = read(Answer(451, body="4.7.1 wait\r\n" + "x" * 5000)).sentence
    assert "4.7.1 wait" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 300
