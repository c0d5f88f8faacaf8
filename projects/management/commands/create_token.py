"""`manage.py create_token WORKSPACE --name N [--scope S …]` prints a new API token, alone, on stdout."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from projects.actors import Actor, Source
from projects.errors import Invalid
from projects.models import Workspace
from projects.scopes import Scope
from projects.services.tokens import create_token


class Command(BaseCommand):
    help = "Creates an API token of a workspace and prints it. It is shown only this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="the workspace's slug")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            help=f"may be given several times; default {Scope.EVENTS_WRITE}; known: {', '.join(Scope)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace “{options['workspace']}”. {_known()}")
        try:
            _token, text = create_token(
                Actor("manage.py create_token", Source.COMMAND),
                workspace,
                name=options["name"],
                scopes=options["scopes"] or [Scope.EVENTS_WRITE],
            )
        except Invalid as error:
            raise CommandError(error.message) from error
        self.stdout.write(text)


def _known() -> str:
    slugs = list(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:10])
    return f"Known: {', '.join(slugs)}." if slugs else "None was created yet."
