"""The API tokens' page."""

import pytest

from projects.models import ApiToken
from projects.services import tokens
from tests import factories
from tests.projects.account_scenes import post_form, soup, text_of

PAGE = "/settings/tokens/?ws=acme"


@pytest.fixture
def client(client, people):
    client.force_login(people.admin)
    return client


def create(client, **values):
    return client.post(PAGE, {"name": "CI", "scopes": ["events:write"], **values})


def test_a_token_is_shown_once_and_works(client, workspace, people):
    text = soup(create(client)).find(id="new-token").get_text()
    token = tokens.find_token(text)
    assert (token.workspace, token.created_by, token.scopes) == (workspace, people.admin, ["events:write"])
    assert text not in client.get(PAGE).content.decode()


def test_the_answer_that_shows_it_is_kept_nowhere(client):
    response = create(client)
    assert "no-store" in response["Cache-Control"]
    assert "aegis_" not in str(dict(client.session))


def test_the_list_tells_tokens_apart(client, workspace, project, people):
    factories.TokenFactory(workspace=workspace, project=project, name="Shop", created_by=people.owner)
    factories.TokenFactory(workspace=factories.WorkspaceFactory(), name="Foreign")
    page = text_of(client.get(PAGE))
    assert "Shop aegis_test…" in page
    assert "only Acme Web Never used · made" in page
    assert f"by {people.owner}" in page
    assert "Foreign" not in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"project": "x"}, "project"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(client, values, field):
    response = create(client, **values)
    assert soup(response).find(id=f"id_{field}_error")
    assert not ApiToken.objects.exists()


def test_another_workspaces_project_can_not_be_chosen(client):
    foreign = factories.ProjectFactory()
    assert soup(create(client, project=foreign.pk)).find(id="id_project_error")


def test_revoking_asks_first(client, workspace):
    token = factories.TokenFactory(workspace=workspace)
    path = f"/settings/tokens/{token.pk}/revoke/"
    assert "answered 401 from now on" in text_of(client.get(path))
    assert tokens.find_token(token.text)
    page = post_form(client, f"{path}?ws=acme", path)
    assert "ci is revoked." in text_of(page)
    assert tokens.find_token(token.text) is None


def test_many_tokens_take_no_more_queries(client, workspace, django_assert_max_num_queries):
    for _ in range(30):
        factories.TokenFactory(workspace=workspace, project=factories.ProjectFactory(workspace=workspace))
    with django_assert_max_num_queries(10):
        client.get(PAGE)
