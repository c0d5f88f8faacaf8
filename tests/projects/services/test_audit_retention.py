"""The audit log has a retention of its own, and leaves as CSV."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from aegisnotify.clock import now
from projects.actors import SYSTEM
from projects.models import AuditEntry
from projects.services.audit import record
from projects.services.audit_retention import delete_old_entries


def entry(workspace, days, action="workspace.updated"):
    written = record(SYSTEM, action, workspace, workspace=workspace, changes={"name": ("A", "=B")})
    AuditEntry.objects.filter(pk=written.pk).update(at=now() - timedelta(days=days))
    return written


def test_old_entries_go_in_batches_and_that_is_recorded(workspace, settings):
    settings.AEGIS_AUDIT_DAYS = 30
    for _ in range(5):
        entry(workspace, 31)
    young = entry(workspace, 29)
    assert delete_old_entries(batch=2) == 5
    told = AuditEntry.objects.get(action="audit.history_deleted")
    assert (told.workspace, told.changes["entries"]) == (None, [5, 0])
    assert list(AuditEntry.objects.exclude(pk=told.pk)) == [young]
    assert delete_old_entries() == 0
    assert AuditEntry.objects.count() == 2


def test_zero_days_keep_everything(workspace, settings):
    settings.AEGIS_AUDIT_DAYS = 0
    entry(workspace, 9000)
    assert delete_old_entries() == 0


def test_two_years_are_kept_when_nobody_says_otherwise(workspace):
    entry(workspace, 729)
    entry(workspace, 731)
    assert delete_old_entries() == 1


def export(*arguments):
    out = io.StringIO()
    call_command("export_audit", *arguments, stdout=out)
    return list(csv.reader(io.StringIO(out.getvalue())))


def test_a_workspaces_log_is_exported_from_the_command_line(workspace):
    entry(workspace, 10, "workspace.created")
    entry(workspace, 1)
    rows = export("acme")
    assert rows[0][:3] == ["at", "actor", "source"]
    assert [row[4] for row in rows[1:]] == ["workspace.updated", "workspace.created"]
    assert rows[1][-1] == "'=B"
    since = (now() - timedelta(days=3)).date().isoformat()
    assert [row[4] for row in export("acme", "--since", since)[1:]] == ["workspace.updated"]


@pytest.mark.parametrize(("arguments", "sentence"), [(["nobody"], "no workspace"), (["acme", "--since", "x"], "a day")])
def test_what_cannot_be_exported_is_said(workspace, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        export(*arguments)
