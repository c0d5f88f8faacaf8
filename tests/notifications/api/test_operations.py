"""Pausing, resuming, recovering; following a job."""

from datetime import timedelta

import pytest

from aegisnotify.clock import now
from notifications.models import RecoveryJob
from notifications.services.recovery import work_on_recoveries
from projects.scopes import Scope
from tests import factories
from tests.notifications.api.callers import error_of, fields_of, signed_in, with_token

pytestmark = pytest.mark.django_db

HOOK = "/projects/acme-web/channels/hook"


@pytest.fixture
def hook(project):
    return factories.ChannelFactory(project=project, key="hook")


def ahead(**delta):
    return (now() + timedelta(**delta)).isoformat()


def test_a_channel_is_paused_until_a_moment_and_resumed(api, hook):
    answer = api.post(f"{HOOK}/pause", {"until": ahead(hours=1)})
    assert answer.status_code == 200
    assert answer.json()["paused_until"] is not None
    answer = api.post(f"{HOOK}/resume")
    assert answer.status_code == 200
    assert answer.json()["paused_until"] is None


@pytest.mark.parametrize("until", [None, 5, "tomorrow", "2026-04-28T10:42:11", "2020-01-01T00:00:00Z"])
def test_a_pause_needs_a_moment_in_the_future_with_its_offset(api, hook, until):
    assert set(fields_of(api.post(f"{HOOK}/pause", {"until": until}))) == {"until"}
    assert set(fields_of(api.post(f"{HOOK}/pause"))) == {"until"}


def test_resuming_lifts_a_suspension(api, hook):
    type(hook).objects.update(suspended_at=now(), suspended_reason="gone")
    assert api.post(f"{HOOK}/resume").json()["health"] == "healthy"


def test_recovering_is_a_job_that_can_be_followed(api, hook):
    factories.DeliveryFactory(
        channel=hook, occurrence__project=hook.project, status="failed", next_at=None, created_at=now()
    )
    answer = api.post(f"{HOOK}/recover", {"since": ahead(hours=-1)})
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert api.get(f"/jobs/{job}").json()["status"] == "queued"
    assert error_of(api.post(f"{HOOK}/recover", {"since": ahead(hours=-1)})) == (409, "conflict")
    work_on_recoveries()
    assert api.get(f"/jobs/{job}").json() == {
        "id": job, "done": 2, "total": 2, "sent": 1, "status": "done", "error": "",
    }  # fmt: skip


def test_what_can_not_send_can_not_be_recovered(api, hook):
    type(hook).objects.update(enabled=False)
    assert error_of(api.post(f"{HOOK}/recover", {"since": ahead(hours=-1)})) == (409, "conflict")
    type(hook).objects.update(enabled=True)
    hook.project.workspace.plan = factories.plan("free")
    hook.project.workspace.save()
    assert error_of(api.post(f"{HOOK}/recover", {"since": ahead(hours=-1)})) == (402, "plan_limit")


@pytest.mark.parametrize(("path", "body"), [("pause", {"until": ahead(hours=1)}), ("resume", {}), ("recover", {})])
def test_members_may_viewers_may_not_outsiders_see_nothing(people, hook, path, body):
    assert signed_in(people.member).post(f"{HOOK}/{path}", body).status_code != 403
    assert error_of(signed_in(people.viewer).post(f"{HOOK}/{path}", body)) == (403, "forbidden")
    assert error_of(signed_in(people.outsider).post(f"{HOOK}/{path}", body)) == (404, "not_found")


def test_the_scope_is_deliveries_write(workspace, hook):
    reader = with_token(workspace, Scope.DELIVERIES_READ, Scope.SETTINGS_WRITE)
    assert error_of(reader.post(f"{HOOK}/resume")) == (403, "forbidden")


def test_another_workspaces_job_does_not_exist(api, hook):
    foreign = factories.ChannelFactory()
    job = RecoveryJob.objects.create(workspace=foreign.project.workspace, channel=foreign, since=now(), until=now())
    assert error_of(api.get(f"/jobs/{job.pk}")) == (404, "not_found")


class TestAskingRecipients:
    @pytest.fixture
    def mailbox(self, project, people):
        channel = factories.ChannelFactory(project=project, kind="email", key="email")
        for email in ("bob@example.com", "eve@example.com", people.member.email):
            factories.RecipientFactory(channel=channel, email=email)
        return "/projects/acme-web/channels/email/confirm"

    def test_all_that_are_unconfirmed_are_asked_and_not_again_at_once(self, api, mailbox):
        assert api.post(mailbox).json() == {"asked": ["bob@example.com", "eve@example.com"]}
        assert api.post(mailbox).json() == {"asked": []}

    def test_one_of_them_is_asked_and_nobody_who_is_no_recipient(self, api, mailbox):
        assert api.post(mailbox, {"email": "eve@example.com"}).json() == {"asked": ["eve@example.com"]}
        assert api.post(mailbox, {"email": "mallory@example.com"}).json() == {"asked": []}
        assert set(fields_of(api.post(mailbox, {"email": 5}))) == {"email"}

    def test_it_is_a_change_of_settings(self, workspace, people, mailbox):
        assert error_of(with_token(workspace, Scope.DELIVERIES_WRITE).post(mailbox)) == (403, "forbidden")
        assert error_of(signed_in(people.member).post(mailbox)) == (403, "forbidden")
