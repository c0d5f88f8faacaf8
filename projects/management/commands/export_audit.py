"""`manage.py export_audit WORKSPACE [--since DATE]` writes a workspace's audit log as CSV on stdout."""

import csv
from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from aegisnotify.pages.days import day_of, midnight
from projects import audit_log
from projects.models import Workspace


class Command(BaseCommand):
    help = "Writes the audit log of a workspace as CSV, the newest entry first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="the workspace's slug")
        parser.add_argument("--since", help="the first day, such as 2026-04-28 (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace “{options['workspace']}”.")
        found = audit_log.all_entries(workspace)
        if options["since"]:
            day = day_of(options["since"])
            if day is None:
                raise CommandError("--since takes a day such as 2026-04-28.")
            found = found.filter(at__gte=midnight(day, ZoneInfo("UTC")))
        names = dict(workspace.projects.values_list("pk", "name"))
        csv.writer(self.stdout).writerows(audit_log.spreadsheet(found, names))
