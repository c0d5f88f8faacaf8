"""Creating, changing, deleting channels; rotating a secret."""

from datetime import time, timedelta

import pytest
import time_machine

from aegisnotify.clock import now
from notifications import timing
from notifications.models import AddressConfirmation, Channel
from notifications.services.channels import (
    activate_due_secret,
    activate_secret,
    create_channel,
    delete_channel,
    rotate_secret,
    update_channel,
)
from projects.actors import Source, person
from projects.errors import Conflict, Invalid, PlanLimit
from projects.models import AuditEntry
from projects.services.projects import create_project
from tests.factories import CONFIGS, ChannelFactory, ProjectFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

SLACK = CONFIGS["slack"]["url"]
# An address, so that nothing has to be looked up.
HOOK = "https://93.184.215.14/aegis"


@pytest.fixture
def actor(people):
    return person(people.owner, Source.API, "192.0.2.1")


def test_a_new_project_starts_with_one_enabled_email_channel(workspace, actor):
    project = create_project(actor, workspace, name="Shop")
    (channel,) = project.channels.all()
    assert (channel.kind, channel.key, channel.enabled) == ("email", "email", True)


def test_keys_default_to_the_kind_then_count(project, actor):
    workspace = project.workspace
    workspace.plan = WorkspaceFactory(plan_code="business").plan
    workspace.save()
    keys = [create_channel(actor, project, kind="slack", url=SLACK).channel.key for _ in range(3)]
    assert keys == ["slack", "slack-2", "slack-3"]
    assert create_channel(actor, project, kind="slack", url=SLACK, key="slack-qa").channel.key == "slack-qa"


def test_a_taken_key_is_a_conflict(project, actor):
    ChannelFactory(project=project, key="qa")
    with pytest.raises(Conflict):
        create_channel(actor, project, kind="email", key="qa")


def test_a_generated_secret_is_given_once_and_stored_encrypted(project, actor):
    saved = create_channel(actor, project, kind="webhook", url=HOOK)
    assert saved.new_secret.startswith("whsec_")
    stored = Channel.objects.get(pk=saved.channel.pk)
    assert stored.config["secret"] == saved.new_secret
    raw = Channel.objects.filter(pk=stored.pk).extra(select={"raw": "config"}).values_list("raw", flat=True)[0]
    assert saved.new_secret not in raw
    assert HOOK not in raw


@pytest.mark.parametrize(
    ("submitted", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "email", "url": HOOK}, "url"),
        ({"kind": "webhook", "url": HOOK, "recipients": []}, "recipients"),
        ({"kind": "webhook", "url": "http://93.184.215.14/"}, "url"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": HOOK, "secret": "short"}, "secret"),
        ({"kind": "email", "name": ""}, "name"),
        ({"kind": "email", "name": "x" * 81}, "name"),
        ({"kind": "email", "key": "not a slug"}, "key"),
        ({"kind": "email", "enabled": "yes"}, "enabled"),
        ({"kind": "email", "position": -1}, "position"),
        ({"kind": "email", "position": True}, "position"),
        ({"kind": "email", "colour": "red"}, "colour"),
        ({"kind": "email", "recipients": ["nobody"]}, "recipients"),
        ({"kind": "email", "mode": "weekly"}, "mode"),
        ({"kind": "email", "mode": "daily_digest", "digest_time": "8 am"}, "digest_time"),
        ({"kind": "email", "digest_time": "08:00"}, "digest_time"),
    ],
)
def test_bad_settings_are_refused_by_field_and_nothing_is_stored(project, actor, submitted, field):
    with pytest.raises(Invalid) as caught:
        create_channel(actor, project, **submitted)
    assert any(name.split(".")[0] == field for name in caught.value.fields)
    assert not Channel.objects.exists()


def test_the_plan_limits_what_is_enabled_not_what_is_stored(project, actor):
    create_channel(actor, project, kind="slack", url=SLACK)
    with pytest.raises(PlanLimit) as caught:
        create_channel(actor, project, kind="slack", url=SLACK)
    assert caught.value.details == {"limit": "chat_channels_per_kind", "allowed": 1, "used": 1, "plan": "pro"}
    off = create_channel(actor, project, kind="slack", url=SLACK, enabled=False).channel
    with pytest.raises(PlanLimit):
        update_channel(actor, off, enabled=True)
    off.refresh_from_db()
    assert not off.enabled


def test_renaming_a_channel_over_the_limit_is_allowed(actor, people):
    workspace = WorkspaceFactory(plan_code="free")
    channel = ChannelFactory(project__workspace=workspace)
    update_channel(actor, channel, name="Still here")
    channel.refresh_from_db()
    assert channel.name == "Still here"


def test_what_is_not_submitted_keeps_its_value(project, actor):
    channel = create_channel(actor, project, kind="webhook", url=HOOK).channel
    secret = channel.config["secret"]
    update_channel(actor, channel, url=HOOK + "/new")
    channel.refresh_from_db()
    assert channel.config == {"url": HOOK + "/new", "secret": secret}


def test_a_new_url_starts_with_a_clean_record(project, actor):
    channel = ChannelFactory(
        project=project, kind="slack", key="slack", suspended_at=now(), suspended_reason="gone", failures_in_a_row=4
    )
    update_channel(actor, channel, name="Same target")
    channel.refresh_from_db()
    assert channel.suspended_at is not None
    update_channel(actor, channel, url=SLACK + "2")
    channel.refresh_from_db()
    assert (channel.suspended_at, channel.suspended_reason, channel.failures_in_a_row) == (None, "", 0)


def test_foreign_addresses_are_asked_once(project, actor, people):
    create_channel(actor, project, kind="email", recipients=[people.member.email, "partner@example.org"])
    assert list(AddressConfirmation.objects.values_list("email", flat=True)) == ["partner@example.org"]


def test_equal_urls_have_equal_fingerprints(actor, people):
    one, two = ProjectFactory(), ProjectFactory()
    first = create_channel(actor, one, kind="slack", url=SLACK).channel
    second = create_channel(actor, two, kind="slack", url=SLACK).channel
    other = create_channel(actor, two, kind="webhook", url=HOOK).channel
    assert first.target_fingerprint == second.target_fingerprint != other.target_fingerprint
    assert first.target_host == "hooks.slack.com"


def test_every_change_is_audited_without_secrets(project, actor):
    channel = create_channel(actor, project, kind="slack", url=SLACK).channel
    update_channel(actor, channel, enabled=False, url=SLACK.replace("slacksecret", "othersecret"))
    update_channel(actor, channel, enabled=False)
    delete_channel(actor, channel)
    entries = AuditEntry.objects.filter(target_type="channel").order_by("pk")
    assert [entry.action for entry in entries] == ["channel.created", "channel.updated", "channel.deleted"]
    assert entries[1].changes["enabled"] == [True, False]
    assert entries[1].changes["target"] == ["hooks.slack.com/…cret", "hooks.slack.com/…cret"]
    assert {(entry.actor_label, entry.source, entry.address) for entry in entries} == {
        (actor.user.email, "api", "192.0.2.1")
    }
    text = str([entry.changes for entry in entries])
    assert "slacksecret" not in text
    assert "othersecret" not in text


class TestRotation:
    @pytest.fixture
    def hook(self, project, actor):
        return create_channel(actor, project, kind="webhook", url=HOOK).channel

    def test_the_new_secret_is_staged_then_activated(self, hook, actor):
        old = hook.config["secret"]
        staged = rotate_secret(actor, hook)
        hook.refresh_from_db()
        assert (hook.config["secret"], hook.config["next_secret"]) == (old, staged.secret)
        assert now() + timedelta(hours=23) < staged.activates_at < now() + timedelta(hours=25)
        activate_secret(actor, hook)
        hook.refresh_from_db()
        assert hook.config == {"url": HOOK, "secret": staged.secret}
        assert hook.secret_activates_at is None

    def test_a_pasted_secret_is_not_repeated(self, hook, actor):
        assert rotate_secret(actor, hook, secret="a-pasted-secret-of-mine").secret is None

    def test_one_can_be_staged_at_a_time(self, hook, actor):
        rotate_secret(actor, hook)
        with pytest.raises(Conflict):
            rotate_secret(actor, hook)

    def test_there_must_be_one_to_activate(self, hook, actor):
        with pytest.raises(Conflict):
            activate_secret(actor, hook)

    def test_only_webhooks_have_a_secret(self, project, actor):
        with pytest.raises(Conflict):
            rotate_secret(actor, ChannelFactory(project=project, kind="slack", key="slack"))

    @pytest.mark.parametrize("grace", [-1, 169, "24", True, None])
    def test_the_grace_period_is_up_to_seven_days(self, hook, actor, grace):
        with pytest.raises(Invalid) as caught:
            rotate_secret(actor, hook, grace_hours=grace)
        assert set(caught.value.fields) == {"grace_hours"}

    def test_at_the_end_of_the_grace_period_it_activates_by_itself(self, hook, actor):
        staged = rotate_secret(actor, hook, grace_hours=2)
        assert activate_due_secret(hook).config["secret"] != staged.secret
        with time_machine.travel(now() + timedelta(hours=3)):
            assert activate_due_secret(hook).config["secret"] == staged.secret
        assert AuditEntry.objects.filter(action="channel.secret_activated", source="system").exists()

    def test_a_secret_staged_while_another_change_is_checked_stays_staged(self, project, actor):
        channel = create_channel(actor, project, kind="webhook", url=HOOK).channel
        read_before = Channel.objects.get(pk=channel.pk)
        staged = rotate_secret(actor, channel)
        update_channel(actor, read_before, url=f"{HOOK}/moved")
        channel.refresh_from_db()
        assert (channel.config["url"], channel.config["next_secret"]) == (f"{HOOK}/moved", staged.secret)
        activate_secret(actor, channel)
        channel.refresh_from_db()
        assert channel.config["secret"] == staged.secret


def test_whoever_sends_digests_hears_of_every_change_of_mode_and_time(project, actor, monkeypatch):
    heard = []
    monkeypatch.setattr(timing, "_hooks", [lambda actor, channel: heard.append((channel.mode, channel.digest_time))])
    channel = create_channel(actor, project, kind="email", mode="daily_digest", digest_time="07:15").channel
    update_channel(actor, channel, name="Mornings")
    update_channel(actor, channel, digest_time="07:15")
    update_channel(actor, channel, digest_time="09:00")
    update_channel(actor, channel, mode="immediate")
    update_channel(actor, channel, recipients=[])
    create_channel(actor, project, kind="email")
    assert heard == [("daily_digest", time(7, 15)), ("daily_digest", time(9)), ("immediate", None)]
    entry = AuditEntry.objects.filter(action="channel.updated").order_by("pk").last()
    assert entry.changes == {"mode": ["daily_digest", "immediate"], "digest_time": ["09:00", None]}


def test_a_failing_digest_undoes_the_change(project, actor, monkeypatch):
    """What is held and the mode change together or not at all."""

    def broken(actor, channel):
        raise RuntimeError

    channel = create_channel(actor, project, kind="email", mode="daily_digest").channel
    monkeypatch.setattr(timing, "_hooks", [broken])
    with pytest.raises(RuntimeError):
        update_channel(actor, channel, mode="immediate")
    channel.refresh_from_db()
    assert channel.mode == Channel.Mode.DAILY_DIGEST
