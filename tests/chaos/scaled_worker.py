"""`manage.py worker` with leases of ten seconds: what a killed cluster held is due again while a short test waits."""

import sys
from datetime import timedelta

import django

LEASE = timedelta(seconds=10)


def main():
    django.setup()
    from django.core.management import execute_from_command_line

    from notifications.delivery import engine, outbox

    outbox.LEASE = engine.LEASE = LEASE
    execute_from_command_line(["manage.py", "worker"])


if __name__ == "__main__":
    sys.exit(main())
