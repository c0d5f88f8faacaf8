"""Fixtures that many tests share: a project with its people, each in a role, and one outsider."""

import re
from types import SimpleNamespace

import pytest

from projects.access import Role
from tests import factories

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pytest_make_parametrize_id(config, val, argname):
    """A random id as a parameter does not name its test: the workers of pytest-xdist have to find the same names."""
    return argname if _UUID.fullmatch(str(val)) else None


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
