"""`manage.py worker`: everything in the background. Run one, or more, on as many machines as you like."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.delivery import supervisor
from notifications.delivery.background import CHECKS


class Command(BaseCommand):
    requires_system_checks = CHECKS
    help = (
        "Runs the background: delivers messages and does what is due. SIGTERM or Ctrl-C stops it within 20 seconds; "
        "what is in flight is finished, nothing is lost."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor.run()
