"""Every code has its words."""

import pytest

from notifications.insight import sentences
from notifications.routing import GateName, Outcome, Reason


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("reason", Reason)
def test_every_outcome_and_reason_makes_two_whole_sentences(outcome, reason):
    for sentence in (
        sentences.then(outcome, reason, "run_failed"),
        sentences.then(outcome, reason, None),
        sentences.today(outcome, reason, "run_failed"),
    ):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "{" not in sentence
        assert "_" not in sentence.replace("run_failed", "")


@pytest.mark.parametrize("gate", GateName)
def test_every_gate_has_a_label_and_words_for_passing(gate):
    assert sentences.GATE_LABELS[gate]
    assert sentences.gate_words(gate, None)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_at_its_gate(reason):
    assert sentences.gate_words(GateName.FILTER, reason)


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        (Outcome.NOT_SENT, Reason.OVERRIDE_OFF, "Not sent: this channel's own filter had run_failed off."),
        (Outcome.NOT_SENT, Reason.PAUSED, "Not sent: the channel was paused."),
        (
            Outcome.SENT,
            Reason.FLAG_ON,
            "Sent: the global flag had run_failed on and this channel had no filter of its own for it.",
        ),
        (
            Outcome.HELD,
            Reason.OVERRIDE_ON,
            "Held for the daily digest: this channel's own filter had run_failed on, whatever the global flag said.",
        ),
    ],
)
def test_sentences_of_what_was(outcome, reason, expected):
    assert sentences.then(outcome, reason, "run_failed") == expected


def test_what_did_not_arrive_is_not_called_sent():
    assert sentences.then(Outcome.SENT, Reason.FLAG_ON, "run_failed", arrived=False).startswith("Let through: ")


def test_a_sentence_of_today():
    assert (
        sentences.today(Outcome.NOT_SENT, Reason.CHANNEL_OFF, "run_failed")
        == "Today it would not be sent: the channel is switched off."
    )
