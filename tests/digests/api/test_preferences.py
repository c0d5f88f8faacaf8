"""`/email-preferences`: the page's choices for whoever is signed in."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache

from aegisnotify.clock import now
from digests.models import NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from notifications.models import AddressBounce
from projects.models import AuditEntry
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

PATH = "/email-preferences"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


def test_they_are_read_with_their_defaults(people):
    AddressBounce.objects.create(email=people.owner.email, kind="bounced", at=now())
    weekly = {"enabled": False, "weekday": "monday", "time": "08:00", "time_zone": "UTC", "next_at": None}
    assert signed_in(people.owner).get(PATH).json() == {
        "email": people.owner.email,
        "undeliverable": "bounced",
        "weekly_digest": weekly,
        "reminders": True,
        "usage_warnings": True,
        "workspace_unsubscribed": False,
    }
    assert signed_in(people.member).get(PATH).json()["usage_warnings"] is None


@time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False)
def test_what_is_given_changes_and_the_rest_stays(people, workspace):
    owner = signed_in(people.owner)
    weekly = {"enabled": True, "weekday": "friday", "time": "17:30", "time_zone": "America/New_York"}
    body = {"weekly_digest": weekly, "reminders": False, "usage_warnings": False, "workspace_unsubscribed": True}
    shown = owner.patch(PATH, body).json()
    assert shown["weekly_digest"] == weekly | {"next_at": "2026-11-27T22:30:00Z"}
    assert (shown["reminders"], shown["usage_warnings"], shown["workspace_unsubscribed"]) == (False, False, True)
    assert owner.patch(PATH, {"weekly_digest": {"time": "06:15"}}).json()["weekly_digest"]["weekday"] == "friday"
    assert owner.patch(PATH, {}).json()["reminders"] is False
    assert {entry.source for entry in AuditEntry.objects.all()} == {"api"}
    assert AuditEntry.objects.count() == 5


@pytest.mark.parametrize("role", ["member", "viewer"])
@pytest.mark.parametrize("field", ["usage_warnings", "workspace_unsubscribed"])
def test_members_change_their_own_and_nothing_of_others_and_all_or_nothing(people, role, field):
    caller = signed_in(getattr(people, role))
    assert error_of(caller.patch(PATH, {"reminders": False, field: True})) == (403, "forbidden")
    assert not NudgeOptOut.objects.exists()
    assert not WorkspaceOptOut.objects.exists()
    assert not UsageOptOut.objects.exists()
    assert caller.patch(PATH, {"reminders": False, "weekly_digest": {"enabled": True}}).status_code == 200
    assert WeeklySubscription.objects.get().user == getattr(people, role)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"reminders": "yes"}, "reminders"),
        ({"weekly_digest": True}, "weekly_digest"),
        ({"weekly_digest": {"time": "25:00"}}, "weekly_digest.time"),
        ({"weekly_digest": {"time": "08:00:00"}}, "weekly_digest.time"),
        ({"weekly_digest": {"time": 8}}, "weekly_digest.time"),
        ({"weekly_digest": {"weekday": 0}}, "weekly_digest.weekday"),
        ({"weekly_digest": {"weekday": "someday"}}, "weekly_digest.weekday"),
        ({"weekly_digest": {"time_zone": "Mars/Olympus"}}, "weekly_digest.time_zone"),
        ({"weekly_digest": {"next_at": None}}, "weekly_digest.next_at"),
    ],
)
def test_what_can_not_be_names_its_field_and_changes_nothing(people, body, field):
    fields = fields_of(signed_in(people.owner).patch(PATH, {"usage_warnings": False} | body))
    assert field in fields
    assert not UsageOptOut.objects.exists()
    assert not WeeklySubscription.objects.filter(enabled=True).exists()


def test_a_token_has_no_mailbox(workspace):
    token = with_token(workspace)
    assert error_of(token.get(PATH)) == (403, "forbidden")
    assert error_of(token.patch(PATH, {"reminders": False})) == (403, "forbidden")
