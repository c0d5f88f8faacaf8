"""Every address of a page, asked for by somebody who may see it: valid HTML, nothing inline, and never a 500."""

import re
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.urls import URLPattern, get_resolver

from aegisnotify import signed_links
from projects import links
from projects.actors import Source, person
from projects.services import invitations
from tests import factories
from tests.html_checks import problems
from tests.stylesheets import unstyled

pytestmark = pytest.mark.django_db

_ADDED = {"docs": "", "notifications": "project=acme-web", "deliveries": "status=failed&late=1"}


def page_patterns(resolver=None):
    for pattern in (resolver or get_resolver("aegisnotify.page_urls")).url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name, pattern
        else:
            yield from page_patterns(pattern)


ADDRESSES = dict(page_patterns())
_PARAMETERS = (
    *("project", "page", "q", "status", "event", "channel", "since", "until", "days", "kind", "after", "before", "by"),
    *("action", "actor", "from", "to", "result", "next", "recipient", "occurrence", "source", "object", "all", "late"),
    *("show", "shown", "open", "newer"),
)


def path_of(name, scene):
    pattern = ADDRESSES[name].pattern
    taken = {parameter: scene[parameter] for parameter in pattern.converters}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(taken[match[1]]), str(pattern))


@pytest.fixture
def scene(project, people):
    """One of everything that an address can name."""
    factories.plan("business")
    project.workspace.plan = factories.plan("business")
    project.workspace.save()
    channel = factories.ChannelFactory(project=project, kind="webhook", key="hook", name="Hook")
    occurrence = factories.OccurrenceFactory(project=project)
    delivery = factories.DeliveryFactory(occurrence=occurrence, channel=channel)
    owner = person(people.owner, Source.PAGE)
    invitation = invitations.invite(owner, project.workspace, email="new@example.com", role="member")
    token = factories.TokenFactory(workspace=project.workspace)
    verify = signed_links.make(links.VERIFY_EMAIL, user=people.owner.pk, email=people.owner.email)
    return {
        "slug": project.slug,
        "channel_id": channel.pk,
        "delivery_id": delivery.pk,
        "event_id": occurrence.pk,
        "member_id": project.workspace.memberships.exclude(user=people.owner).first().pk,
        "invitation_id": invitation.pk,
        "token_id": token.pk,
        "job_id": uuid4(),
        "event": "run_failed",
        "token": verify,
        "uidb64": "MQ",
        "provider": "mailgun",
    }


@pytest.fixture(params=["owner", "anonymous"])
def visitor(request, client, scene, people, settings):
    """Asks for pages by the names of their addresses; in debug, so that the style guide is there too."""
    settings.DEBUG = True
    if request.param == "owner":
        client.force_login(people.owner)

    def visit(name, query):
        return client.get(f"{path_of(name, scene)}?{query}")

    return visit


def test_every_page_is_valid_html_and_loads_the_sheets_of_what_it_shows(visitor):
    wrong = {}
    for name in ADDRESSES:
        response = visitor(name, f"ws=acme&{_ADDED.get(name, '')}")
        assert response.status_code < 500, name
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
        if is_page and response.content and name not in ("project_preview_email", "settings_email_preview"):
            html = response.content.decode()
            whole = "<!doctype" in html[:200].lower()
            wrong[name] = problems(html, fragment=not whole)
            if whole and (missing := unstyled(html)):
                wrong[name].append(f"loads no sheet for {sorted(missing)}")
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("value", ["9" * 30, "-1[٣", b"\xed\xa0\x80"])
def test_odd_parameters_are_no_failure_of_ours(visitor, value):
    query = urlencode({"ws": "acme", **dict.fromkeys(_PARAMETERS, value)})
    assert {name for name in ADDRESSES if visitor(name, query).status_code >= 500} == set()


def test_a_character_that_no_text_has_is_left_out_before_it_reaches_a_page(client, scene, people):
    # PostgreSQL refuses it in a query, and HTML has no way to write it.
    client.force_login(people.owner)
    for name in ("settings_audit", "deliveries", "explain"):
        response = client.get(path_of(name, scene), {"ws": "acme", "project": "a\x00cme\x00-web", "event": "\x00"})
        assert response.status_code == 200
        assert "\x00" not in response.content.decode()


def test_a_page_that_answers_get_answers_head(client, scene, people):
    client.force_login(people.owner)
    refused = [
        name
        for name in ADDRESSES
        if client.head(f"{path_of(name, scene)}?ws=acme").status_code == 405
        and client.get(f"{path_of(name, scene)}?ws=acme").status_code != 405
    ]
    assert refused == []
