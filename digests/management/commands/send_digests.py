"""`manage.py send_digests`: what the schedules do every minute and every hour, by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from aegisnotify.clock import now
from digests import plan, tasks


class Command(BaseCommand):
    help = "Sends the digests, reminders and usage warnings that are due. The worker does it by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="send and change nothing; say who would get what, and why not"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            self.stdout.write(f"{tasks.send_all():,} sent.")
            return
        sending = skipping = 0
        for line in plan.due(now()):
            sending, skipping = sending + (line.reason is None), skipping + (line.reason is not None)
            what = "would get" if line.reason is None else "would not get"
            why = f": {line.reason.label.lower()}" if line.reason else ""
            self.stdout.write(f"{line.recipient} {what} {line.what}{why}")
        self.stdout.write(f"{sending:,} would be sent, {skipping:,} skipped.")
