"""The django-q schedules of this app, which it makes and keeps right by itself.

They only wake functions that claim their work in the database, so a double one costs a few queries and nothing else.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django_q.models import Schedule

from aegisnotify.clock import now


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    func: str
    minutes: int


WANTED = (
    Wanted("Digests and warnings: send what is due", "digests.tasks.send_due", 1),
    Wanted("Daily totals and reminders", "digests.tasks.keep_books", 60),
)


def keep_schedules() -> int:
    """Make what is missing, mend what was changed, delete what is double. How many rows were written."""
    return sum(_keep(wanted) for wanted in WANTED)


@transaction.atomic
def _keep(wanted: Wanted) -> int:
    fields = {
        "name": wanted.name,
        "args": None,
        "kwargs": None,
        "hook": None,
        "schedule_type": Schedule.MINUTES,
        "minutes": wanted.minutes,
        "repeats": -1,
        "cluster": None,
        "cron": None,
    }
    rows = list(Schedule.objects.select_for_update().filter(func=wanted.func).order_by("pk"))
    if not rows:
        # Two workers may both make one. Each sees both the next time, and the younger one goes.
        Schedule.objects.create(func=wanted.func, next_run=now(), **fields)
        return 1
    first, *others = rows
    written = len(others)
    if others:
        Schedule.objects.filter(pk__in=[row.pk for row in others]).delete()
    latest = now() + timedelta(minutes=wanted.minutes)
    wrong = any(getattr(first, name) != value for name, value in fields.items())
    if wrong or first.next_run is None or first.next_run > latest:
        Schedule.objects.filter(pk=first.pk).update(next_run=min(first.next_run or latest, latest), **fields)
        written += 1
    return written
