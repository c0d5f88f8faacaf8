"""Fixtures that many tests share: a project with its people, each in a role, and one outsider."""

from types import SimpleNamespace

import pytest

from projects.access import Role
from tests import factories


@pytest.fixture
def project(db):
    return factories.ProjectFactory(name="Acme Web", slug="acme-web", workspace__name="Acme QA", workspace__slug="acme")


@pytest.fixture
def workspace(project):
    return project.workspace


@pytest.fixture
def people(workspace):
    """The workspace's people by role, and an outsider who owns another workspace."""
    return SimpleNamespace(
        owner=workspace.memberships.get(role=Role.OWNER).user,
        admin=factories.MembershipFactory(workspace=workspace, role=Role.ADMIN).user,
        member=factories.MembershipFactory(workspace=workspace, role=Role.MEMBER).user,
        viewer=factories.MembershipFactory(workspace=workspace, role=Role.VIEWER).user,
        outsider=factories.MembershipFactory(workspace=factories.WorkspaceFactory(owner=False), role=Role.OWNER).user,
    )
