"""`manage.py create_token`."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from projects.actors import Source
from projects.models import ApiToken, AuditEntry
from projects.scopes import Scope
from projects.services.tokens import find_token

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command("create_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_the_token_alone(workspace):
    out, err = run("acme", "--name", "ci")
    assert err == ""
    assert out.endswith("\n")
    assert out.strip().startswith("aegis_")
    token = find_token(out.strip())
    assert (token.workspace, token.name, token.scopes, token.project) == (workspace, "ci", ["events:write"], None)


def test_it_gives_the_scopes_asked_for(workspace):
    out, _ = run("acme", "--name", "ci", "--scope", "settings:read", "--scope", "deliveries:read")
    assert find_token(out.strip()).scopes == ["deliveries:read", "settings:read"]


def test_it_is_audited(workspace):
    run("acme", "--name", "ci")
    entry = AuditEntry.objects.get(action="token.created")
    assert (entry.source, entry.workspace) == (Source.COMMAND, workspace)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nope", "--name", "ci"), "There is no workspace “nope”. Known: acme."),
        (("acme", "--name", "ci", "--scope", "events:read"), "Unknown: events:read. Known: " + ", ".join(Scope)),
        (("acme", "--name", " "), "Say what the token is for."),
        (("acme", "--name", "x" * 81), "At most 80 characters."),
        (("acme",), "--name"),
    ],
)
def test_what_it_can_not_do_it_says(workspace, arguments, sentence):
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run(*arguments)
    assert not ApiToken.objects.exists()


def test_it_says_when_there_is_no_workspace_yet():
    with pytest.raises(CommandError, match="None was created yet"):
        run("acme", "--name", "ci")
