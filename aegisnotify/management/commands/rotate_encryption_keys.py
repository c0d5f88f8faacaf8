"""`manage.py rotate_encryption_keys`: re-encrypt all stored URLs and secrets with the first key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from aegisnotify.reencryption import reencrypt

_MOST_NAMED = 20


class Command(BaseCommand):
    help = (
        "Re-encrypts all stored URLs and secrets with the first key of AEGIS_ENCRYPTION_KEYS. Safe while everything "
        "runs, and to be stopped and started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; say whether the other keys can be dropped"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        result = reencrypt(only_look=check)
        self.stdout.write(
            f"{result.rotated} re-encrypted, {result.current} had the first key already, {len(result.left)} left, "
            f"{len(result.unreadable)} that no key opens."
        )
        for place in [*result.unreadable, *result.left][:_MOST_NAMED]:
            self.stderr.write(f"  {place}")
        if result.unreadable:
            raise CommandError("No key opens some values. Add the key they were encrypted with, and run this again.")
        if result.left:
            raise CommandError(
                "Not everything has the first key: keep the others, and run this (again) without --check."
            )
        self.stdout.write("The first key opens everything: the others can be dropped once no process uses them.")
