"""Every address of the pages and the API, asked as owner, admin, member, viewer, outsider and nobody.

What each of them has to get is in `rows.py`, which says how to add an address.
"""

import json

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from projects.access import Right, refusal
from tests import factories
from tests.tenancy.rows import METHODS, PERSONAL, PUBLIC, ROWS
from tests.tenancy.world import FREE, World, addresses

INSIDE = ("owner", "admin", "member", "viewer")
CALLERS = (*INSIDE, "outsider", "anonymous")
# Section 1 of the contract, in its own words: not read from the code that is tested.
HOLDERS = {
    Right.VIEW: ("owner", "admin", "member", "viewer"),
    Right.OPERATE: ("owner", "admin", "member"),
    Right.CONFIGURE: ("owner", "admin"),
    Right.MANAGE: ("owner", "admin"),
    Right.OWN: ("owner",),
}
PATTERNS = {pattern.name: pattern for _, pattern in addresses() if pattern.name}


@pytest.fixture(scope="module")
def made_once(django_db_setup, django_db_blocker):
    """Every test runs in a savepoint within this transaction, so that it finds the world as it was: to make one takes
    longer than to ask for a page."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = factories.acme_web()
        yield World(project, factories.people_of(project.workspace))
        transaction.set_rollback(True)


@pytest.fixture
def world(made_once, db):
    cache.clear()
    yield made_once
    cache.clear()


def sent(value, world):
    return value(world) if callable(value) else value


def parameters_of(row, world):
    given = sent(row.at, world)
    return {name: given.get(name, world.parameters.get(name)) for name in PATTERNS[row.name].pattern.converters}


def address_of(row, world):
    if row.name in world.links:
        return world.links[row.name].removeprefix("http://testserver")
    return reverse(row.name, kwargs=parameters_of(row, world))


def call(row, world, caller, *, named=True, method=None, **headers):
    """The answer to `caller`; nothing stays changed. `named` says which workspace is meant."""
    query = dict(sent(row.query, world))
    if named and row.who not in (PUBLIC, PERSONAL):
        if row.is_api:
            headers["HTTP_X_AEGIS_WORKSPACE"] = world.workspace.slug
        else:
            query["ws"] = world.workspace.slug
    client, method = Client(), method or row.method
    body = {}
    if method != "GET":
        if row.is_api:
            body = {"data": json.dumps(sent(row.json, world)), "content_type": "application/json"}
        elif method == "POST":
            body = {"data": sent(row.form, world)}
    if caller in world.sessions:
        client.cookies["sessionid"] = world.sessions[caller]
    with transaction.atomic():
        response = getattr(client, method.lower())(
            address_of(row, world), query_params=query or None, **body, **headers
        )
        # A streamed answer reads the database while it is read.
        response.body = b"".join(response) if response.streaming else response.content
        transaction.set_rollback(True)
    return response


def expected(row, caller):
    """The status that section 1 asks for."""
    if caller in row.statuses:
        return row.statuses[caller]
    if isinstance(row.who, Right):
        allowed = caller in HOLDERS[row.who]
    else:
        allowed = row.who == PUBLIC or (row.who == PERSONAL and caller != "anonymous")
    if allowed:
        return row.status
    if caller == "anonymous":
        return 401 if row.is_api else 302
    return 404 if caller == "outsider" else 403


def test_every_address_has_its_rows():
    found = list(addresses())
    named = {route: pattern for route, pattern in found if pattern.name}
    # The API's addresses have a twin with a trailing slash, without a name.
    twins = {(f"{route}/", pattern.callback) for route, pattern in named.items()}
    assert [route for route, pattern in found if not pattern.name and (route, pattern.callback) not in twins] == []
    assert len({pattern.name for pattern in named.values()}) == len(named), "Two addresses have one name."
    assert {row.name for row in ROWS} == set(PATTERNS), "See the top of tests/tenancy/rows.py."
    assert len({(row.name, row.method) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_what_their_role_gives(world, row):
    answers = {caller: call(row, world, caller) for caller in CALLERS}
    statuses = {caller: answer.status_code for caller, answer in answers.items()}
    assert statuses == {caller: expected(row, caller) for caller in CALLERS}
    for caller, answer in answers.items():
        if statuses[caller] == 403 and caller in INSIDE and isinstance(row.who, Right):
            assert ("Only " if caller in row.statuses else refusal(row.who)) in said(answer)
        if statuses[caller] == 404 and caller == "outsider":
            assert "Acme" not in said(answer)
    if expected(row, "anonymous") == 302 and "anonymous" not in row.statuses and row.who != PUBLIC:
        assert answers["anonymous"]["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.who, Right)], ids=str)
def test_things_of_another_workspace_are_not_there_whatever_one_may_at_home(world, row):
    """Without naming the workspace, so that the outsider, who owns another one, has every right there."""
    if not set(parameters_of(row, world)) - FREE:
        pytest.skip("It names nothing of the workspace.")
    assert call(row, world, "outsider", named=False).status_code == 404
    if row.is_api:
        elsewhere = world.people.outsider.memberships.get().workspace
        other_project = factories.ProjectFactory(workspace=world.workspace)
        for token in (
            factories.TokenFactory(workspace=elsewhere),
            factories.TokenFactory(workspace=world.workspace, project=other_project),
        ):
            answer = call(row, world, "", named=False, HTTP_AUTHORIZATION=f"Bearer {token.text}")
            assert answer.status_code == 404


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_methods_without_a_row_are_refused(world, name):
    rows = [row for row in ROWS if row.name == name]
    for method in set(METHODS) - {row.method for row in rows}:
        caller = "anonymous" if rows[0].who == PUBLIC else "owner"
        assert call(rows[0], world, caller, method=method).status_code == 405, method


def said(answer):
    return answer.body.decode().replace("&#x27;", "'")
