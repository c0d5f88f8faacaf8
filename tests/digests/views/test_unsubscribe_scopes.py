"""Each kind of mail's link: what it stops, what it leaves alone, whom it works for."""

import itertools

import pytest
from django.urls import reverse

from aegisnotify import signed_links
from digests import links
from digests.models import NudgeOptOut, UsageOptOut, WeeklySubscription, WorkspaceOptOut
from digests.selectors import preferences_of
from digests.services.preferences import set_weekly
from notifications.addresses import links as address_links
from notifications.models import OptOut
from projects.access import Role
from projects.actors import SYSTEM
from projects.models import AuditEntry, Membership
from tests import factories

pytestmark = pytest.mark.django_db

ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
SCOPES = ["weekly", "nudges", "usage", "workspace", "event"]


@pytest.fixture
def client(client):
    """As strict as a browser, as bare as a mail program: CSRF checks on, no cookies."""
    client.handler.enforce_csrf_checks = True
    return client


@pytest.fixture
def reader(people, workspace):
    set_weekly(SYSTEM, people.admin, workspace, enabled=True)
    AuditEntry.objects.all().delete()
    return people.admin


@pytest.fixture
def urls(reader, workspace, project):
    return {
        "weekly": links.weekly_unsubscribe_url(reader.pk, workspace.pk),
        "nudges": links.nudges_unsubscribe_url(reader.pk),
        "usage": links.usage_unsubscribe_url(reader.pk, workspace.pk),
        "workspace": links.workspace_unsubscribe_url(reader.pk, workspace.pk),
        "event": address_links.unsubscribe_url(project.pk, reader.email),
    }


def stopped(reader, workspace):
    """What no longer goes out to the reader."""
    chosen = preferences_of(reader, workspace)
    return {
        name
        for name, off in {
            "weekly": not chosen.weekly,
            "nudges": not chosen.nudges,
            "usage": not chosen.usage_warnings,
            "workspace": chosen.workspace_unsubscribed,
            "event": OptOut.objects.filter(email=reader.email).exists(),
        }.items()
        if off
    }


def text(response):
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("scope", SCOPES)
def test_one_click_stops_that_and_only_that_however_often(client, urls, reader, workspace, scope):
    for _ in range(3):
        response = client.post(urls[scope], **ONE_CLICK)
        assert response.status_code == 200
        assert not response.cookies
    assert stopped(reader, workspace) == {scope}
    entry = AuditEntry.objects.get()
    assert (entry.source, entry.actor_label, entry.address) == ("link", reader.email, "127.0.0.1")


@pytest.mark.parametrize("scope", SCOPES)
def test_undo_brings_back_that_and_only_that(client, urls, reader, workspace, scope):
    for url in urls.values():
        client.post(url)
    for _ in range(2):
        response = client.post(urls[scope], {"undo": "1"})
        assert "Undone." in text(response)
    assert stopped(reader, workspace) == set(SCOPES) - {scope}
    assert AuditEntry.objects.count() == len(SCOPES) + 1


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_and_prefetching_change_nothing(client, urls, reader, workspace, scope, method):
    for headers in ({}, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}):
        response = getattr(client, method)(urls[scope], headers=headers)
        assert response.status_code in (200, 405)
        assert not response.cookies
    assert stopped(reader, workspace) == set()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("scope", "question", "others"),
    [
        ("weekly", "Stop weekly digests?", "Event emails, reminders and usage warnings are not affected."),
        ("nudges", "Stop reminders?", "Event emails, digests and usage warnings are not affected."),
        ("usage", "Stop usage warnings?", "Event emails, digests and reminders are not affected."),
        ("workspace", "Stop reminders and weekly digests?", "Event emails and usage warnings are not affected."),
    ],
)
def test_the_page_says_what_stops_and_what_goes_on(client, urls, reader, scope, question, others):
    page = text(client.get(urls[scope]))
    assert question in page
    assert others in page
    assert reader.email not in page
    assert ("all members" if scope == "workspace" else "•••@example.com") in page
    done = text(client.post(urls[scope]))
    assert "You are unsubscribed" in done
    assert reverse("settings_email") in done


def test_the_owner_is_told_which_warning_still_comes(client, people, workspace):
    page = text(client.get(links.usage_unsubscribe_url(people.owner.pk, workspace.pk)))
    assert "The warning at 100 %, which always goes to the owner, and all other emails are not affected." in page


def test_a_token_opens_no_other_scope(urls):
    tokens = {scope: url.rstrip("/").rpartition("/")[2] for scope, url in urls.items()}
    names = {"weekly": links.WEEKLY, "nudges": links.NUDGES, "usage": links.USAGE, "workspace": links.WORKSPACE}
    for scope, other in itertools.product(tokens, names):
        if scope != other:
            with pytest.raises(signed_links.InvalidLink):
                signed_links.read(names[other], tokens[scope])


def test_what_one_token_says_and_another_one_signed_is_refused(client, urls, reader, people, workspace):
    """Neither another scope nor another person can be put in front of a signature."""
    foreign = links.weekly_unsubscribe_url(people.member.pk, workspace.pk)
    tokens = [url.rstrip("/").rpartition("/")[2] for url in (*urls.values(), foreign)]
    for said, signed in itertools.permutations(tokens, 2):
        mixed = f"{said.partition(':')[0]}:{signed.partition(':')[2]}"
        assert client.post(reverse("unsubscribe", args=[mixed])).status_code == 404
    assert stopped(reader, workspace) == set()


def test_a_token_signs_nobody_in_and_opens_nothing_else(client, urls):
    for url in urls.values():
        token = url.rstrip("/").rpartition("/")[2]
        client.get(url)
        client.post(url)
        assert not client.session.keys()
        assert client.get("/settings/email/").status_code == 302
        assert client.get("/api/v1/usage", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        assert client.get(reverse("confirm_address", args=[token])).status_code == 404


def test_links_survive_the_rotation_of_the_key_and_end_with_it(client, urls, reader, workspace, settings):
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-" + "y" * 50
    assert client.post(urls["weekly"]).status_code == 404
    assert stopped(reader, workspace) == set()
    settings.SECRET_KEY_FALLBACKS = ["older still " + "z" * 50, old]
    for url in urls.values():
        assert client.post(url).status_code == 200
    assert stopped(reader, workspace) == set(SCOPES)
    settings.SECRET_KEY_FALLBACKS = []
    for url in urls.values():
        assert client.post(url, {"undo": "1"}).status_code == 404
    assert stopped(reader, workspace) == set(SCOPES)


def test_who_left_the_workspace_has_nothing_left_to_stop(client, urls, reader, workspace):
    reader.memberships.all().delete()
    for scope in ("weekly", "usage", "workspace"):
        for response in (client.get(urls[scope]), client.post(urls[scope], **ONE_CLICK)):
            assert response.status_code == 200
            assert "nothing left to stop" in text(response)
    assert not WorkspaceOptOut.objects.exists()
    assert not UsageOptOut.objects.exists()


def test_a_deleted_person_has_nothing_left_to_stop(client, urls, reader):
    reader.delete()
    for scope in ("weekly", "nudges", "usage", "workspace"):
        assert "nothing left to stop" in text(client.post(urls[scope]))
    assert not NudgeOptOut.objects.exists()


def test_who_is_no_admin_any_more_stops_nobody_elses_mail(client, urls, reader, workspace):
    Membership.objects.filter(user=reader).update(role=Role.MEMBER)
    for post in ({}, {"undo": "1"}):
        page = text(client.post(urls["workspace"], post))
        assert "This link no longer works for you" in page
        assert "Only the owner and admins of this workspace" in page
    assert not WorkspaceOptOut.objects.exists()


def test_lifting_the_workspaces_choice_restores_each_persons(client, urls, reader, workspace, people):
    client.post(urls["weekly"])
    set_weekly(SYSTEM, people.member, workspace, enabled=True)
    client.post(urls["workspace"])
    client.post(urls["workspace"], {"undo": "1"})
    enabled = WeeklySubscription.objects.order_by("user").values_list("user", "enabled")
    assert dict(enabled) == {reader.pk: False, people.member.pk: True}
    assert not WorkspaceOptOut.objects.exists()


def test_one_workspaces_links_leave_the_others_alone(client, urls, reader):
    elsewhere = factories.MembershipFactory(user=reader, role=Role.ADMIN).workspace
    set_weekly(SYSTEM, reader, elsewhere, enabled=True)
    for scope in ("weekly", "usage", "workspace"):
        client.post(urls[scope])
    assert stopped(reader, elsewhere) == set()
