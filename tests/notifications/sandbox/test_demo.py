"""The demo workspace: made once, then only freshened."""

import json
from urllib.parse import urlsplit

import pytest

from notifications import catalog, samples
from notifications.intake.recording import record
from notifications.models import Channel, Delivery
from notifications.sandbox import demo, webhook_secrets
from notifications.selectors.filters import project_filters
from projects.models import ApiToken, AuditEntry, Project, User, Workspace
from projects.scopes import Scope
from projects.services.tokens import find_token
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quickstart_settings(settings):
    factories.plan("business")
    settings.AEGIS_ALLOW_PRIVATE_TARGETS = False
    move_to(settings, 9001)


def move_to(settings, port):
    settings.AEGIS_SANDBOX_TARGET = f"127.0.0.1:{port}"
    settings.AEGIS_EXTRA_PROVIDER_HOSTS = [f"{kind}=127.0.0.1:{port}" for kind in ("slack", "discord", "teams")]


def kinds_of(project):
    return list(project.channels.order_by("position").values_list("kind", flat=True))


def test_two_projects_get_all_kinds_of_channels_at_the_sandbox():
    demo.seed()
    workspace = Workspace.objects.get()
    assert (workspace.name, workspace.slug, workspace.plan.code) == ("Acme QA", "acme", "business")
    assert [project.name for project in Project.objects.order_by("name")] == ["Acme Web", "Checkout API"]
    for project in Project.objects.all():
        assert sorted(kinds_of(project)) == ["discord", "email", "slack", "teams", "webhook"]
    for channel in Channel.objects.exclude(kind="email"):
        assert channel.enabled
        assert channel.config["url"].startswith("http://127.0.0.1:9001/")


def test_a_failed_scheduled_run_tells_everybody_once_and_the_webhook_of_every_event():
    demo.seed()
    workspace = Workspace.objects.get()
    facts = samples.facts("run_failed", id="1") | {"trigger": "schedule"}
    record(workspace, {"event": "run_failed", "project": "acme-web", "run": facts})
    assert sorted(Delivery.objects.values_list("kind", "event")) == [
        ("discord", "run_failed"),
        ("email", "run_failed"),
        ("slack", "run_failed"),
        ("teams", "run_failed"),
        ("webhook", "run_completed"),
        ("webhook", "run_failed"),
        ("webhook", "scheduled_runs"),
    ]


def test_only_the_webhook_has_filters_of_its_own():
    demo.seed()
    filters = project_filters(Project.objects.get(slug="acme-web"))
    assert filters["channel_filters"] == {"webhook": dict.fromkeys(catalog.names(), True)}
    assert filters["inherits_workspace_flags"] is True


def test_the_owner_signs_in_and_the_token_may_do_everything():
    seeded = demo.seed()
    owner = User.objects.get(email=demo.OWNER)
    assert owner.email_verified_at
    assert owner.check_password(seeded.password)
    assert find_token(seeded.token).scopes == sorted(Scope)


def test_the_sandbox_is_told_the_secrets_and_they_verify():
    demo.seed()
    for channel in Channel.objects.filter(kind="webhook"):
        assert webhook_secrets.read(channel.project.slug) == (channel.config["secret"],)


def test_a_second_start_keeps_the_data_and_replaces_password_and_token():
    first = demo.seed()
    Channel.objects.filter(kind="slack", project__slug="acme-web").delete()
    Project.objects.filter(slug="acme-web").update(name="Renamed")
    kept = set(Channel.objects.values_list("pk", flat=True))
    second = demo.seed()
    assert set(Channel.objects.values_list("pk", flat=True)) == kept
    assert Project.objects.filter(name="Renamed").exists()
    owner = User.objects.get()
    assert not owner.check_password(first.password)
    assert owner.check_password(second.password)
    assert find_token(first.token) is None
    assert find_token(second.token)


def test_tokens_of_other_names_stay():
    demo.seed()
    other = factories.TokenFactory(workspace=Workspace.objects.get(), name="ci")
    demo.seed()
    assert ApiToken.objects.get(pk=other.pk).revoked_at is None


def test_channels_follow_the_sandbox_to_another_port(settings):
    demo.seed()
    before = {channel.pk: channel.config["url"] for channel in Channel.objects.exclude(kind="email")}
    move_to(settings, 9002)
    demo.seed()
    for channel in Channel.objects.exclude(kind="email"):
        assert channel.config["url"] == before[channel.pk].replace(":9001", ":9002")


def test_a_channel_that_leads_elsewhere_is_left_alone(settings):
    demo.seed()
    channel = Channel.objects.filter(kind="slack").first()
    channel.config = factories.CONFIGS["slack"]
    channel.save()
    move_to(settings, 9002)
    demo.seed()
    channel.refresh_from_db()
    assert channel.config == factories.CONFIGS["slack"]


def test_a_staged_secret_is_told_too():
    demo.seed()
    channel = Channel.objects.get(kind="webhook", project__slug="acme-web")
    channel.config |= {"next_secret": "another secret of enough length"}
    channel.save()
    demo.seed()
    assert webhook_secrets.read("acme-web") == (channel.config["secret"], "another secret of enough length")


def test_a_workspace_of_somebody_else_with_the_same_slug_is_left_alone():
    theirs = factories.WorkspaceFactory(slug="acme")
    demo.seed()
    assert Workspace.objects.exclude(pk=theirs.pk).get().slug == "acme-2"
    assert not theirs.projects.exists()


def test_the_owner_is_staff_only_where_the_database_is_our_own(settings):
    settings.EMBEDDED = False
    demo.seed()
    owner = User.objects.get()
    assert (owner.is_staff, owner.is_superuser) == (False, False)


def test_what_is_handed_out_stands_in_no_log():
    seeded = demo.seed()
    entries = json.dumps(list(AuditEntry.objects.values_list("changes", "target_label", "actor_label")))
    assert seeded.token not in entries
    assert seeded.password not in entries
    for channel in Channel.objects.exclude(kind="email"):
        assert urlsplit(channel.config["url"]).path not in entries
    assert set(AuditEntry.objects.values_list("source", flat=True)) == {"command"}


def test_a_broker_that_is_away_does_not_stop_the_start(monkeypatch):
    def away(*arguments):
        raise ConnectionError

    monkeypatch.setattr(demo, "async_task", away)
    assert demo.seed().sign_of_life == ""


def test_the_sign_of_life_is_what_the_worker_was_asked_for(sandbox_directory, monkeypatch):
    asked = []
    monkeypatch.setattr(demo, "async_task", lambda name, text: asked.append((name, text)))
    sign = demo.seed().sign_of_life
    [(name, text)] = asked
    assert (name, text) == ("notifications.sandbox.demo.give_sign_of_life", sign)
    demo.give_sign_of_life(text)
    assert demo.sign_of_life_file().read_text() == sign
