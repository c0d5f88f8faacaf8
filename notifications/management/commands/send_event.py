"""`manage.py send_event PROJECT EVENT [--status …] [--id …]` reports a realistic occurrence, as a caller would."""

import uuid
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications import catalog, samples
from notifications.insight import sentences
from notifications.intake.recording import record
from notifications.routing import Outcome, Reason
from projects.errors import Invalid
from projects.models import Project

MOST_NAMED = 10


class Command(BaseCommand):
    help = "Reports a realistic event of a project and says who is told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="its id, its slug if only one has it, or workspace/slug")
        parser.add_argument("event", choices=catalog.names(), metavar="event", help=", ".join(catalog.names()))
        parser.add_argument("--status", default="", help="of the run or scan, such as passed, failed or cancelled")
        parser.add_argument("--id", default="", help="of the run, scan or generation; a new one each time if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        project = _find(options["project"])
        event = catalog.get(options["event"])
        source_id = options["id"] or f"sample-{uuid.uuid4().hex[:12]}"
        facts = samples.facts(event.name, id=source_id, status=options["status"])
        payload = {"event": event.name, "project": str(project.pk), event.kind.value: facts}
        try:
            recorded = record(project.workspace, payload)
        except Invalid as error:
            raise CommandError("\n".join(_problems(error))) from error

        occurrence = recorded.occurrence
        again = " (reported before: nothing new is sent)" if recorded.duplicate else ""
        self.stdout.write(f"{occurrence.pk}{again}")
        self.stdout.write(f"fired: {', '.join(occurrence.fired_events) or 'nothing'}")
        for decision in occurrence.decisions:
            self.stdout.write(f"{decision['channel']}: {_line(decision)}")


def _line(decision: dict[str, Any]) -> str:
    sentence = sentences.then(Outcome(decision["outcome"]), Reason(decision["reason"]), decision["event"])
    count = len(decision["deliveries"])
    return f"{sentence} ({count} deliveries)" if count > 1 else sentence


def _find(wanted: str) -> Project:
    """Raises `CommandError` where there is none, or more than one."""
    projects = (
        Project.objects.filter(workspace__closed_at=None)
        .select_related("workspace__plan")
        .order_by("workspace__slug", "slug")
    )
    workspace, slash, slug = wanted.partition("/")
    if slash:
        found = list(projects.filter(workspace__slug=workspace, slug=slug))
    else:
        found = list(projects.filter(slug=wanted)[: MOST_NAMED + 1]) or _by_id(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"Several workspaces have a project “{wanted}”. Write one of: {_names(found)}.")
    known = list(projects[: MOST_NAMED + 1])
    hint = f"Known: {_names(known)}." if known else "None was created yet."
    raise CommandError(f"There is no project “{wanted}”. {hint}")


def _by_id(wanted: str) -> list[Project]:
    try:
        identifier = uuid.UUID(wanted)
    except ValueError:
        return []
    return list(Project.objects.select_related("workspace__plan").filter(pk=identifier))


def _names(projects: list[Project]) -> str:
    named = [f"{project.workspace.slug}/{project.slug}" for project in projects[:MOST_NAMED]]
    return ", ".join(named) + (", …" if len(projects) > MOST_NAMED else "")


def _problems(error: Invalid) -> Iterable[str]:
    for field, found in error.fields.items():
        yield f"{field}: {' '.join(found)}"
