"""Fixtures that many tests share: a project with its people, each in a role, and one outsider."""

import re

import hypothesis
import pytest
from django.test import Client

from tests import factories
from tests.html_checks import problems

# 200 ms for an example are no promise of ours, and a busy machine breaks them. All else as Hypothesis has it.
hypothesis.settings.register_profile("patient", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")

# Django's, Swagger's, and a mail as it is sent: mail programs need its inline styles.
_NOT_OURS = re.compile(r"/admin/|/api/v1/docs|/p/[^/]+/preview/email|/settings/email/weekly/preview")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pytest_make_parametrize_id(config, val, argname):
    """A random id as a parameter does not name its test: the workers of pytest-xdist have to find the same names."""
    return argname if _UUID.fullmatch(str(val)) else None


@pytest.fixture(scope="session", autouse=True)
def every_page_is_valid_html():
    """Whatever page of ours a test asks for is checked: once per process for each way to put templates together, since
    a page takes 30 ms."""
    ask, seen = Client.request, set()

    def request(client, **environ):
        response = ask(client, **environ)
        path = environ.get("PATH_INFO", "")
        if response.get("Content-Type", "").startswith("text/html") and not _NOT_OURS.match(path):
            names = tuple(template.name for template in response.templates or () if template.name)
            if names and (response.status_code, names) not in seen:
                seen.add((response.status_code, names))
                html = response.content.decode()
                wrong = problems(html, fragment="<!doctype" not in html[:200].lower())
                assert not wrong, (
                    f"{environ.get('REQUEST_METHOD')} {path} ({response.status_code}) is not valid: {wrong}"
                )
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", request)
        yield


@pytest.fixture
def project(db):
    return factories.acme_web()


@pytest.fixture
def workspace(project):
    return project.workspace


@pytest.fixture
def people(workspace):
    return factories.people_of(workspace)
