"""`manage.py deliver`: a dedicated sender beside the worker."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from notifications.delivery import sender
from notifications.delivery.background import CHECKS


class Command(BaseCommand):
    requires_system_checks = CHECKS
    help = (
        "Delivers what is due, as the worker does, and nothing else: for more throughput, run some of these beside it. "
        "SIGTERM or Ctrl-C stops it; what is in flight is finished, the rest is given back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, help="how many messages may be in flight (AEGIS_SENDER_THREADS)")

    def handle(self, *args: Any, **options: Any) -> None:
        sender.run(options["threads"])
