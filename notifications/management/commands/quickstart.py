"""`manage.py quickstart [--port 8000] [--bind 127.0.0.1]`: everything on one machine, with demo data and a sandbox."""

import argparse
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from notifications.sandbox import demo
from notifications.sandbox.quickstart import LOOPBACK, Quickstart, QuickstartError


class Command(BaseCommand):
    help = (
        "Starts the web server, the worker and a sandbox that stands in for Slack, Discord, Teams, a webhook receiver "
        "and the mail server, with a demo workspace. Ctrl-C stops everything; the data stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the app (8000); the sandbox gets the next one")
        parser.add_argument("--bind", default=LOOPBACK, help=f"the address to listen on ({LOOPBACK})")
        # For the child process that has the environment of this quickstart: prepares the database and prints JSON.
        parser.add_argument("--seed", action="store_true", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seed"]:
            call_command("migrate", verbosity=0, interactive=False)
            self.stdout.write(json.dumps(demo.seed().as_json()))
            return
        try:
            Quickstart(options["bind"], options["port"], self._say).run()
        except QuickstartError as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
