"""`manage.py worker` with a faster heart, so that a frozen cluster is noticed while a test waits for it."""

import sys

import django


def main():
    django.setup()
    from django.core.management import execute_from_command_line

    from notifications.delivery import liveness, standby, tasks

    standby.HEARTBEAT_EVERY, liveness.LIMIT, tasks.BUDGET = 2.0, 8.0, 2.0
    execute_from_command_line(["manage.py", "worker"])


if __name__ == "__main__":
    sys.exit(main())
