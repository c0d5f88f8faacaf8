"""What intake loads in two statements is what `selectors.routing` reads with the ORM, and nothing of it is kept."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aegisnotify.clock import now
from notifications import catalog
from notifications.intake import loading
from notifications.intake.loading import load
from notifications.models import AddressBounce, AddressConfirmation, Channel, OptOut
from notifications.selectors.routing import routing_settings
from projects.access import Role
from projects.models import Membership, Project
from tests.factories import (
    ChannelFactory,
    EventFlagFactory,
    MembershipFactory,
    OverrideFactory,
    ProjectFactory,
    RecipientFactory,
    UserFactory,
    WorkspaceFactory,
    plan,
)

pytestmark = pytest.mark.django_db


def both(project, moment=None):
    """The settings by the statements and by the ORM."""
    moment = moment or now()
    fresh = Project.objects.select_related("workspace__plan").get(pk=project.pk)
    loaded = load(project.workspace, project.slug, moment)
    assert loaded.project == fresh
    return loaded.settings, routing_settings(fresh, moment)


def flags(project):
    EventFlagFactory(workspace=project.workspace, event="run_failed", enabled=False)
    EventFlagFactory(workspace=project.workspace, event="crawl_completed", enabled=True)


def own_flags(project):
    flags(project)
    EventFlagFactory(workspace=project.workspace, project=project, event="run_failed", enabled=True)
    Project.objects.filter(pk=project.pk).update(inherits_workspace_flags=False)


def others_flags(project):
    other = ProjectFactory(workspace=project.workspace)
    EventFlagFactory(workspace=project.workspace, project=other, event="run_failed", enabled=False)
    EventFlagFactory(workspace=WorkspaceFactory(), event="run_failed", enabled=False)


def channels_in_their_order(project):
    for position in (3, 1, 2, 1):
        ChannelFactory(project=project, position=position)
    ChannelFactory(project=ProjectFactory(workspace=project.workspace))


def channels_in_every_state(project):
    moment = now()
    ChannelFactory(project=project, enabled=False)
    ChannelFactory(project=project, paused_until=moment + timedelta(hours=1))
    ChannelFactory(project=project, paused_until=moment - timedelta(hours=1))
    ChannelFactory(project=project, suspended_at=moment, suspended_reason="gone")
    ChannelFactory(project=project, kind="email", mode="daily_digest", digest_time="08:00")


def overrides(project):
    for channel in (ChannelFactory(project=project), ChannelFactory(project=project, kind="slack")):
        OverrideFactory(channel=channel, event="run_failed", enabled=False)
        OverrideFactory(channel=channel, event="run_completed", enabled=True)
    OverrideFactory(channel=ChannelFactory(), event="run_failed")


def more_channels_than_the_plan_has(project):
    for kind in ("slack", "discord", "webhook", "webhook", "email"):
        ChannelFactory(project=project, kind=kind)
    project.workspace.plan = plan("free")
    project.workspace.save()


def email_without_recipients(project):
    ChannelFactory(project=project, kind="email")
    MembershipFactory(workspace=project.workspace, role=Role.ADMIN)


def email_without_an_owner(project):
    ChannelFactory(project=project, kind="email")
    Membership.objects.filter(workspace=project.workspace).delete()


def recipients_in_every_state(project):
    channel = ChannelFactory(project=project, kind="email")
    workspace = project.workspace
    member = MembershipFactory(workspace=workspace).user.email
    unverified = MembershipFactory(workspace=workspace, user__email_verified_at=None).user.email
    elsewhere = UserFactory().email
    for position, email in enumerate([member, unverified, elsewhere, "b@x.org", "o@x.org", "c@x.org", "w@x.org"]):
        RecipientFactory(channel=channel, email=email, position=-position % 5)
    AddressBounce.objects.create(email="b@x.org", kind="bounced", at=now())
    AddressConfirmation.objects.create(workspace=workspace, email="b@x.org", confirmed_at=now())
    OptOut.objects.create(project=project, email="o@x.org", created_at=now())
    OptOut.objects.create(project=ProjectFactory(workspace=workspace), email="c@x.org", created_at=now())
    AddressConfirmation.objects.create(workspace=workspace, email="o@x.org", confirmed_at=now())
    AddressConfirmation.objects.create(workspace=workspace, email="c@x.org", confirmed_at=now())
    AddressConfirmation.objects.create(workspace=workspace, email="w@x.org")
    AddressConfirmation.objects.create(workspace=WorkspaceFactory(), email="w@x.org", confirmed_at=now())
    ChannelFactory(project=project, kind="email", position=9)


def nothing(project):
    pass


SITUATIONS = [
    nothing,
    flags,
    own_flags,
    others_flags,
    channels_in_their_order,
    channels_in_every_state,
    overrides,
    more_channels_than_the_plan_has,
    email_without_recipients,
    email_without_an_owner,
    recipients_in_every_state,
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_the_statements_agree_with_the_orm(project, situation):
    situation(project)
    by_statement, by_orm = both(project)
    assert by_statement == by_orm


@given(seed=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_statements_agree_with_the_orm_whatever_is_there(project, seed):
    with transaction.atomic():
        _fill(project, seed)
        by_statement, by_orm = both(project)
        transaction.set_rollback(True)
    assert by_statement == by_orm


def _fill(project, seed):
    """Flags, channels in any state, overrides and recipients whose addresses are in any state."""
    moment, workspace = now(), project.workspace
    workspace.plan = plan(seed.choice(["free", "starter", "pro", "business", "enterprise"]))
    workspace.save()
    for owner in (None, project):
        for event in seed.sample(catalog.names(), seed.randint(0, 5)):
            EventFlagFactory(workspace=workspace, project=owner, event=event, enabled=seed.random() < 0.5)
    Project.objects.filter(pk=project.pk).update(inherits_workspace_flags=seed.random() < 0.5)
    addresses = [f"a{number}@x.org" for number in range(6)]
    for email in addresses:
        if seed.random() < 0.3:
            AddressBounce.objects.create(email=email, kind="bounced", at=moment)
        if seed.random() < 0.3:
            OptOut.objects.create(project=project, email=email, created_at=moment)
        if seed.random() < 0.6:
            AddressConfirmation.objects.create(
                workspace=workspace, email=email, confirmed_at=seed.choice([None, moment])
            )
    for _ in range(seed.randint(0, 6)):
        kind = seed.choice(["email", "slack", "discord", "teams", "webhook"])
        channel = ChannelFactory(
            project=project,
            kind=kind,
            enabled=seed.random() < 0.7,
            position=seed.randint(0, 3),
            paused_until=seed.choice([None, moment - timedelta(hours=1), moment + timedelta(hours=1)]),
            suspended_at=seed.choice([None, None, moment]),
        )
        for event in seed.sample(catalog.names(), seed.randint(0, 3)):
            OverrideFactory(channel=channel, event=event, enabled=seed.random() < 0.5)
        if kind == "email":
            for place, email in enumerate(seed.sample(addresses, seed.randint(0, 4))):
                RecipientFactory(channel=channel, email=email, position=place)


def test_a_channel_is_paused_until_the_moment_and_not_at_it(project):
    moment = now()
    ChannelFactory(project=project, paused_until=moment)
    for asked in (moment - timedelta(microseconds=1), moment):
        by_statement, by_orm = both(project, asked)
        assert by_statement == by_orm
        assert by_statement.channels[0].paused is (asked < moment)


def test_every_change_counts_for_the_very_next_event(project):
    channel = ChannelFactory(project=project)
    email = ChannelFactory(project=project, kind="email", position=1)

    def state(pk):
        return next(
            each for each in load(project.workspace, project.slug, now()).settings.channels if each.id == str(pk)
        )

    assert not state(channel.pk).suspended
    Channel.objects.filter(pk=channel.pk).update(suspended_at=now())
    assert state(channel.pk).suspended
    assert state(email.pk).recipients[0].state == "confirmed"
    AddressBounce.objects.create(email=state(email.pk).recipients[0].email, kind="bounced", at=now())
    assert state(email.pk).recipients[0].state == "bounced"
    project.workspace.plan = plan("free")
    project.workspace.save()
    assert not load(project.workspace, project.slug, now()).settings.filters_in_plan


def test_a_slug_that_looks_like_an_id_wins(project):
    other = ProjectFactory(workspace=project.workspace, slug=str(project.pk))
    assert load(project.workspace, str(project.pk), now()).project == other
    assert load(project.workspace, str(other.pk), now()).project == other


@pytest.mark.parametrize("wanted", ["nobody", "", "0" * 32, "01a20c81-3a9f-747a-84cd-ee0a160b6db5"])
def test_an_unknown_project_is_none(project, wanted):
    assert load(project.workspace, wanted, now()) is None


def test_another_workspaces_project_and_one_beyond_the_limit_are_none(project):
    other = ProjectFactory(workspace=project.workspace)
    assert load(WorkspaceFactory(), project.slug, now()) is None
    assert load(WorkspaceFactory(), str(project.pk), now()) is None
    assert load(project.workspace, project.slug, now(), only=other.pk) is None
    assert load(project.workspace, project.slug, now(), only=project.pk).project == project


def test_other_databases_take_the_slower_way(project, monkeypatch):
    ChannelFactory(project=project)
    quick = load(project.workspace, project.slug, now())
    monkeypatch.setattr(loading, "_JSON", {})
    slow = load(project.workspace, project.slug, now())
    assert (quick.project, quick.settings) == (slow.project, slow.settings)
    assert load(project.workspace, "nobody", now()) is None
