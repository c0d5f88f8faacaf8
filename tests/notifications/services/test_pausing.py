"""Pausing, resuming, suspending."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.selectors.channels import is_paused
from notifications.services.pausing import pause_channel, resume_channel, suspend_channel
from projects.actors import Source, person
from projects.errors import Invalid
from projects.models import AuditEntry
from tests.factories import ChannelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(people):
    return person(people.member, Source.PAGE)


def test_a_pause_has_an_end_and_an_author(actor):
    until = now() + timedelta(hours=1)
    channel = pause_channel(actor, ChannelFactory(), until)
    assert (channel.paused_until, channel.paused_by) == (until, actor.user)
    assert is_paused(channel, now())
    assert not is_paused(channel, until)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=-1), timedelta(days=400)])
def test_a_pause_ends_in_the_future_and_within_a_year(actor, ahead):
    with pytest.raises(Invalid) as caught:
        pause_channel(actor, ChannelFactory(), now() + ahead)
    assert set(caught.value.fields) == {"until"}


def test_resuming_ends_a_pause_and_a_suspension(actor):
    channel = ChannelFactory(
        paused_until=now() + timedelta(hours=1), suspended_at=now(), suspended_reason="gone", failures_in_a_row=7
    )
    resumed = resume_channel(actor, channel)
    assert (resumed.paused_until, resumed.suspended_at, resumed.failures_in_a_row) == (None, None, 0)
    assert set(AuditEntry.objects.get(action="channel.resumed").changes) == {"paused_until", "suspended"}


def test_resuming_what_runs_changes_nothing(actor):
    resume_channel(actor, ChannelFactory())
    assert not AuditEntry.objects.exists()


def test_suspending_by_hand_is_audited_with_its_reason(actor):
    channel = ChannelFactory()
    suspend_channel(actor, channel, "Asked by its owner.")
    channel.refresh_from_db()
    assert channel.suspended_reason == "Asked by its owner."
    assert AuditEntry.objects.get(action="channel.suspended").actor == actor.user
