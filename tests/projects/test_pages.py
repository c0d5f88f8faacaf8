"""Whose workspace a page shows, and to whom."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils import timezone

from projects.access import Right, Role
from projects.entitlements import Exceeded
from projects.errors import PlanLimit
from projects.pages import workspace_page
from tests import factories


def ask(rf, user, view, address="/", **kwargs):
    request = rf.get(address)
    request.user = user
    return view(request, **kwargs)


@workspace_page()
def shown(request, **kwargs):
    return HttpResponse(
        f"{request.workspace.slug} as {request.membership.role} in {timezone.get_current_timezone_name()}"
    )


@pytest.fixture
def elsewhere(people):
    """Another workspace of the admin, whose name sorts before."""
    workspace = factories.WorkspaceFactory(name="Aardvark", slug="aardvark")
    factories.MembershipFactory(workspace=workspace, user=people.admin, role=Role.VIEWER)
    return workspace


def test_an_anonymous_visitor_is_sent_to_sign_in_and_back(client, db):
    response = client.get("/?ws=acme")
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/%3Fws%3Dacme"


def test_the_address_names_the_workspace(rf, people, elsewhere):
    assert b"acme as admin" in ask(rf, people.admin, shown, "/?ws=acme").content
    assert b"aardvark as viewer" in ask(rf, people.admin, shown, "/?ws=aardvark").content


def test_without_a_name_it_is_the_last_one_else_the_first(rf, people, elsewhere, workspace):
    assert b"aardvark" in ask(rf, people.admin, shown).content
    people.admin.last_workspace = workspace
    assert b"acme" in ask(rf, people.admin, shown).content


def test_a_workspace_one_has_left_is_not_the_last_one_any_more(rf, people, elsewhere, workspace):
    people.admin.last_workspace = workspace
    people.admin.memberships.filter(workspace=workspace).delete()
    assert b"aardvark" in ask(rf, people.admin, shown).content


@pytest.mark.parametrize("address", ["/?ws=acme", "/?ws=nowhere"])
def test_an_outsider_cannot_tell_a_foreign_workspace_from_none(rf, people, address):
    with pytest.raises(Http404):
        ask(rf, people.outsider, shown, address)


def test_the_last_workspace_is_written_only_when_it_changes(
    rf, people, workspace, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_num_queries(2):
        ask(rf, people.member, shown, "/?ws=acme")
    people.member.refresh_from_db()
    assert people.member.last_workspace == workspace
    with django_assert_num_queries(1):
        ask(rf, people.member, shown, "/?ws=acme")


def test_the_object_in_the_path_decides_which_workspace_is_shown(rf, people, elsewhere, workspace):
    page = workspace_page(of=lambda pk: pk)(lambda request, pk: HttpResponse(request.workspace.slug))
    people.admin.last_workspace = elsewhere
    assert ask(rf, people.admin, page, pk=workspace.pk).content == b"acme"
    for user, address, pk in (
        (people.admin, "/?ws=aardvark", workspace.pk),
        (people.admin, "/", None),
        (people.outsider, "/", workspace.pk),
    ):
        with pytest.raises(Http404):
            ask(rf, user, page, address, pk=pk)


@pytest.mark.parametrize(
    ("role", "right", "allowed"),
    [
        ("viewer", Right.VIEW, True),
        ("viewer", Right.OPERATE, False),
        ("member", Right.OPERATE, True),
        ("member", Right.CONFIGURE, False),
        ("admin", Right.CONFIGURE, True),
        ("admin", Right.OWN, False),
        ("owner", Right.OWN, True),
    ],
)
def test_a_member_without_the_right_is_told_who_has_it(rf, people, role, right, allowed):
    page = workspace_page(right)(lambda request: HttpResponse("done"))
    user = getattr(people, role)
    if allowed:
        assert ask(rf, user, page, "/?ws=acme").content == b"done"
    else:
        with pytest.raises(PermissionDenied, match=f"of this workspace can {right.value}"):
            ask(rf, user, page, "/?ws=acme")


def test_a_refusal_by_the_plan_is_a_402_with_its_sentence(rf, people):
    @workspace_page()
    def page(request):
        raise PlanLimit(Exceeded("webhooks", 3, 3, "pro", "Pro"))

    response = ask(rf, people.owner, page, "/?ws=acme")
    assert response.status_code == 402
    assert "The Pro plan has 3 webhooks per project; 3 are in use." in response.content.decode()


def test_pages_show_the_readers_clock_and_put_it_back(rf, people):
    people.owner.time_zone = "Asia/Tokyo"
    before = timezone.get_current_timezone_name()
    assert b"in Asia/Tokyo" in ask(rf, people.owner, shown, "/?ws=acme").content
    assert timezone.get_current_timezone_name() == before


def test_pages_are_not_kept_by_caches(rf, people):
    assert "no-store" in ask(rf, people.owner, shown, "/?ws=acme")["Cache-Control"]


def test_somebody_without_a_workspace_gets_a_page_that_says_what_to_do(client, db):
    client.force_login(factories.UserFactory())
    response = client.get("/")
    assert response.status_code == 200
    assert "You belong to no workspace" in response.content.decode()


class TestTheSidebar:
    @pytest.fixture
    def html(self, client, people, elsewhere):
        client.force_login(people.admin)
        return client.get("/?ws=acme").content.decode()

    def test_lists_all_of_ones_workspaces(self, html):
        assert '<a href="/?ws=aardvark">' in html
        assert '<a href="/?ws=acme" aria-current="true">' in html

    def test_marks_the_current_page_and_links_within_the_workspace(self, html):
        assert '<a href="/?ws=acme" aria-current="page">' in html

    def test_has_no_dead_links(self, html):
        assert 'href="#"' not in html
        assert 'href=""' not in html

    def test_signs_out_by_post(self, html):
        assert '<form method="post" action="/logout/">' in html


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"referer": "http://testserver/settings/members/?ws=acme"}, "/settings/members/%3Fws%3Dacme"),
        ({"referer": "https://evil.example//evil.example/x"}, "/evil.example/x"),
        ({"referer": "http://["}, "/"),
        ({}, "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, db, headers, back):
    response = client.post("/settings/members/invite/?ws=acme", {"email": "ann@example.com"}, headers=headers)
    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={back}"


def test_an_address_of_a_form_says_so_to_whoever_opens_it(client, people):
    client.force_login(people.owner)
    response = client.get("/settings/members/invite/?ws=acme")
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "nothing was changed" in response.content.decode()
