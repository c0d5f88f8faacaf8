"""Every address of a page, asked for by somebody who may see it: valid HTML, nothing inline, and never a 500."""

import re
from uuid import uuid4

import pytest
from django.urls import URLPattern, get_resolver

from aegisnotify import signed_links
from projects import links
from projects.actors import Source, person
from projects.services import invitations
from tests import factories
from tests.html_checks import problems

pytestmark = pytest.mark.django_db

# Answers without a page of ours: they take forms only, lead elsewhere, or are files.
_NO_PAGES = {302, 405}
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


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_odd_parameters_are_no_failure_of_ours(client, scene, people, name):
    client.force_login(people.owner)
    for value in ("\x00", "\ud800".encode(errors="surrogatepass"), "9" * 30, "-1", "٣", "[]"):
        response = client.get(path_of(name, scene), {"ws": "acme", **dict.fromkeys(_PARAMETERS, value)})
        assert response.status_code < 500, value


@pytest.mark.parametrize("name", sorted(ADDRESSES))
@pytest.mark.parametrize("signed_in", [True, False], ids=["owner", "anonymous"])
def test_the_page_is_valid_html(client, scene, people, settings, name, signed_in):
    if signed_in:
        client.force_login(people.owner)
    settings.DEBUG = name == "styleguide"
    response = client.get(f"{path_of(name, scene)}?ws=acme&{_ADDED.get(name, '')}")
    assert response.status_code < 500
    html = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
    if html and response.status_code not in _NO_PAGES and name != "project_preview_email":
        text = response.content.decode()
        assert problems(text, fragment="<!doctype" not in text[:200].lower()) == []
