"""The matrix of a workspace says of each project what is said of it alone, with a fixed number of queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegisnotify.clock import now
from aegisnotify.etags import etag
from notifications import drafts
from notifications.models import AddressBounce, OptOut
from notifications.selectors.filters import project_filters, workspace_filters
from notifications.selectors.matrix import load_matrix
from notifications.selectors.routing import routing_settings
from notifications.services.filters import change_project_filters, change_workspace_filters
from projects.actors import SYSTEM
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def varied(workspace, project):
    """Two projects that differ in everything that routing looks at."""
    shop = factories.ProjectFactory(workspace=workspace, slug="shop")
    change_workspace_filters(SYSTEM, workspace, {"events": {"run_completed": True}})
    change_project_filters(SYSTEM, shop, {"events": {"run_failed": False}})
    moment = now()
    for number, owner in enumerate((project, shop)):
        factories.ChannelFactory(project=owner, kind="email", key="email")
        mail = factories.ChannelFactory(project=owner, kind="email", key="mail", position=1)
        for email in ("gone@example.com", "left@example.com", "new@example.com"):
            factories.RecipientFactory(channel=mail, email=email)
        known = factories.RecipientFactory(channel=mail).email
        factories.MembershipFactory(workspace=workspace, user__email=known)
        for position in range(5):
            factories.ChannelFactory(project=owner, key=f"hook-{position}", position=2 + position)
        paused = factories.ChannelFactory(
            project=owner, kind="slack", key="slack", position=9, paused_until=moment + timedelta(hours=number)
        )
        factories.OverrideFactory(channel=paused, event="run_failed", enabled=bool(number))
    AddressBounce.objects.create(email="gone@example.com", at=moment)
    shop.refresh_from_db()
    OptOut.objects.create(project=shop, email="left@example.com", created_at=moment)
    return project, shop


def test_it_says_of_each_project_what_routing_says(workspace, varied):
    moment = now()
    matrix = load_matrix(workspace, moment)
    assert {item.project: item.settings for item in matrix.projects} == {
        project: routing_settings(project, moment) for project in varied
    }


def test_its_versions_are_those_of_the_services(workspace, varied):
    scopes = ["workspace", *(str(project.pk) for project in varied), "deleted"]
    for project in varied:
        project.refresh_from_db()
    assert load_matrix(workspace, now()).versions(scopes) == {
        drafts.WORKSPACE: etag(workspace_filters(workspace)),
        **{str(project.pk): etag(project_filters(project)) for project in varied},
    }


def test_the_number_of_queries_does_not_grow(workspace, varied):
    def count():
        with CaptureQueriesContext(connection) as queries:
            load_matrix(workspace, now())
        return len(queries)

    before = count()
    for _ in range(3):
        project = factories.ProjectFactory(workspace=workspace)
        factories.RecipientFactory(channel__project=project)
        factories.ChannelFactory.create_batch(5, project=project)
    assert count() == before <= 9
