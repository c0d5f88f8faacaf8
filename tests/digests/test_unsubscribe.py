"""The page behind unsubscribe links: GET shows, POST does, without sign-in or cookies."""

import pytest
from django.urls import reverse

from aegisnotify import signed_links
from notifications.addresses import links
from notifications.addresses.selectors import recipient_states
from notifications.models import OptOut
from notifications.routing import RecipientState
from projects.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def url(project):
    return links.unsubscribe_url(project.pk, ANN)


@pytest.fixture
def client(client):
    """As strict as a browser, as bare as a mail program: CSRF checks on, no cookies."""
    client.handler.enforce_csrf_checks = True
    return client


def text(response):
    return response.content.decode()


def test_the_link_is_ours_and_hides_nothing_else(url):
    assert url.startswith("http://testserver/u/")


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client, url, method):
    response = getattr(client, method)(url)
    assert response.status_code == 200
    assert not OptOut.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not response.cookies


def test_the_page_says_what_will_stop_and_masks_the_address(client, url):
    page = text(client.get(url))
    assert "Stop emails about Acme Web?" in page
    assert "a•••@example.com" in page
    assert "Acme QA" in page
    assert ANN not in page
    assert "<script>" not in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (
            '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        ("garbage", "multipart/form-data"),
        ("garbage", "multipart/form-data; boundary=b"),
        (ONE_CLICK, "text/plain"),
        ("{", "application/json"),
        ("", "application/octet-stream"),
        ("", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_one_click_works_whatever_is_posted_and_again(client, project, url, body, content_type):
    for _ in range(2):
        response = client.post(url, data=body, content_type=content_type)
        assert response.status_code == 200
        assert not response.cookies
    assert OptOut.objects.get().email == ANN
    assert AuditEntry.objects.count() == 1
    assert recipient_states(project.workspace_id, project.pk, [ANN]) == {ANN: RecipientState.UNSUBSCRIBED}


def test_the_buttons_post_stops_and_undoes(client, project, url):
    stopped = text(client.post(url))
    assert "You are unsubscribed" in stopped
    assert 'name="undo"' in stopped
    undone = text(client.post(url, {"undo": "1"}))
    assert "Undone" in undone
    assert "Unsubscribe from emails about Acme Web" in undone
    assert not OptOut.objects.exists()
    assert [*AuditEntry.objects.order_by("pk").values_list("action", "source", "actor_label", "address")] == [
        ("address.opted_out", "link", ANN, "127.0.0.1"),
        ("address.opted_in", "link", ANN, "127.0.0.1"),
    ]


def test_the_page_of_somebody_who_already_stopped_offers_the_undo(client, url):
    client.post(url)
    page = text(client.get(url))
    assert "You are unsubscribed" in page
    assert "Done." not in page
    assert OptOut.objects.exists()


def test_it_stops_one_address_of_one_project(client, project, url):
    sibling = factories.ProjectFactory(workspace=project.workspace)
    client.post(url)
    assert [*OptOut.objects.values_list("project", "email")] == [(project.pk, ANN)]
    assert OptOut.objects.filter(project=sibling).count() == 0


def test_a_deleted_project_has_nothing_left_to_stop(client, project, url):
    project.delete()
    for response in (client.get(url), client.post(url, {"List-Unsubscribe": "One-Click"})):
        assert response.status_code == 200
        assert "nothing left to stop" in text(response)


def tokens_that_are_not_ours():
    good = signed_links.make(links.EVENT_MAIL, project="p", email=ANN)
    return {
        "garbage": "garbage",
        "cut": good[:-1],
        "another scope": signed_links.make("confirm-address", workspace=1, email=ANN),
        "unknown scope": signed_links.make("no-such-scope", user=1),
        "long": "a" * 5000,
    }


@pytest.mark.parametrize("case", tokens_that_are_not_ours())
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_not_ours_is_a_plain_404(client, project, case, method):
    response = getattr(client, method)(reverse("unsubscribe", args=[tokens_that_are_not_ours()[case]]))
    assert response.status_code == 404
    assert "This link is not valid" in text(response)
    assert not OptOut.objects.exists()


def test_a_changed_claim_is_refused(client, project, url):
    head, _, tail = url.rstrip("/").rpartition("/")
    payload, _, signature = tail.partition(":")
    other = links.unsubscribe_url(project.pk, "bob@example.com").rstrip("/").rpartition("/")[2].partition(":")[0]
    assert client.post(f"{head}/{other}:{signature}/").status_code == 404
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(client, url, method):
    assert getattr(client, method)(url).status_code == 405


def test_no_copy_of_the_page_is_kept(client, url):
    assert "no-store" in client.get(url)["Cache-Control"]


def test_names_are_shown_as_text(client, project):
    project.name = "<script>alert(1)</script>"
    project.save()
    page = text(client.get(links.unsubscribe_url(project.pk, ANN)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
