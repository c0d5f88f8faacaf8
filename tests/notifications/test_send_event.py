"""`manage.py send_event`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications import catalog
from notifications.models import Occurrence
from tests import factories


def send(*arguments):
    out = StringIO()
    call_command("send_event", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def webhook(project):
    channel = factories.ChannelFactory(project=project, key="hook")
    factories.OverrideFactory(channel=channel, event="run_completed")
    return channel


def test_it_records_the_event_and_says_who_is_told(project, webhook):
    identifier, fired, decision = send("acme-web", "run_failed")
    occurrence = Occurrence.objects.get()
    assert identifier == str(occurrence.pk)
    assert occurrence.project == project
    assert fired == "fired: run_failed, run_completed"
    assert decision.startswith("hook: Sent: ")
    assert decision.endswith("(2 deliveries)")


@pytest.mark.parametrize("event", catalog.names())
def test_every_event_can_be_sent(project, event):
    send("acme-web", event)
    assert event in Occurrence.objects.get().fired_events


@pytest.mark.parametrize("name", ["acme-web", "acme/acme-web"])
def test_a_project_is_named_by_its_slug_or_with_its_workspace(project, name):
    send(name, "run_failed")
    assert Occurrence.objects.get().project == project


def test_a_project_is_named_by_its_id(project):
    send(str(project.pk), "run_failed")
    assert Occurrence.objects.get().project == project


def test_each_call_is_another_run_unless_an_id_is_given(project):
    send("acme-web", "run_failed")
    send("acme-web", "run_failed")
    assert Occurrence.objects.count() == 2
    send("acme-web", "run_failed", "--id", "77")
    assert "reported before" in send("acme-web", "run_failed", "--id", "77")[0]
    assert Occurrence.objects.count() == 3


def test_a_status_replaces_the_usual_one(project):
    send("acme-web", "run_completed", "--status", "timed_out")
    occurrence = Occurrence.objects.get()
    assert occurrence.facts["status"] == "timed_out"
    assert "run_failed" in occurrence.fired_events


def test_a_cancelled_run_fires_nothing(project, webhook):
    _, fired, decision = send("acme-web", "run_completed", "--status", "cancelled")
    assert fired == "fired: nothing"
    assert decision.startswith("hook: Not sent: ")


def test_a_slug_that_several_workspaces_have_is_refused_with_their_names(project):
    factories.ProjectFactory(slug="acme-web", workspace__slug="other")
    with pytest.raises(CommandError, match=r"acme/acme-web, other/acme-web"):
        send("acme-web", "run_failed")
    send("other/acme-web", "run_failed")


def test_an_unknown_project_is_refused_with_the_known_ones(project):
    with pytest.raises(CommandError, match=r"no project “nope”. Known: acme/acme-web"):
        send("nope", "run_failed")


def test_without_any_project_it_says_so(db):
    with pytest.raises(CommandError, match="None was created yet"):
        send("nope", "run_failed")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run_failed", "--status", "passed"], "run.status"),
        (["run_failed", "--status", "odd"], "run.status"),
        (["crawl_completed", "--status", "passed"], "crawl.status"),
        (["run_failed", "--id", "x" * 201], "run.id"),
    ],
)
def test_a_contradiction_is_refused_with_the_field(project, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        send("acme-web", *arguments)
    assert not Occurrence.objects.exists()


def test_an_unknown_event_is_refused_with_the_known_ones(project):
    with pytest.raises(CommandError, match="run_failed"):
        send("acme-web", "run_exploded")
