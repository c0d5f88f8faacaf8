"""What django-q calls, by the schedules that `digests.schedules` keeps. Each claims its work in the database."""

import logging
import math
import time
from datetime import datetime, timedelta

from django.db.utils import InterfaceError, OperationalError
from django_q.tasks import async_task

from aegisnotify.clock import now
from digests import mailings, totals
from digests.daily import clocks
from digests.daily.sending import Daily
from digests.models import ChannelClock, Mailing, UsageThreshold, WeeklySubscription
from digests.models.mailings import UNFINISHED
from digests.nudges.sending import Nudges, start_clocks
from digests.pipeline import Run
from digests.usage_warnings.sending import UsageWarnings, note_plan_changes
from digests.weekly.sending import Weekly
from notifications.delivery.tasks import stopping

logger = logging.getLogger(__name__)

# Well under the cluster's timeout (60 s): a mail in flight may take 15 s more.
BUDGET = 30.0
BACKSTOP_BUDGET = 5.0
OVERDUE = timedelta(minutes=5)

KINDS = (Weekly(), Daily(), UsageWarnings(), Nudges())
# Reminders can wait for the hour, and for the day's numbers.
PROMPT = KINDS[:3]


def send_due(budget: float = BUDGET) -> int:
    """Send the digests and warnings that are due, and try again what was not taken; the number of mails sent.

    What is left when the budget is over is for the next turn, which is asked for at once.
    """
    try:
        sent, left = _turn(budget)
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database is away (%s). What is due stays due.", type(error).__name__)
        return 0
    if left:
        _once_more()
    return sent


def keep_books(budget: float = BUDGET) -> int:
    """Hourly: count the days' totals, start clocks for new people, and send the nudges that are due."""
    moment = now()
    totals.count_days(moment)
    totals.forget_old(moment)
    mailings.forget_old(moment)
    start_clocks()
    run = Run(KINDS, stop=stopping.is_set)
    deadline = time.monotonic() + budget
    try:
        while time.monotonic() < deadline and not stopping.is_set() and run.claim_and_send(KINDS[3]):
            pass
    finally:
        run.close()
    return run.sent


def send_overdue() -> int:
    """For the worker itself: with a dead cluster, or without its schedules, digests come minutes late and not never."""
    moment = now() - OVERDUE
    overdue = (
        WeeklySubscription.objects.filter(next_at__lte=moment).exists()
        or ChannelClock.objects.filter(next_at__lte=moment).exists()
        or UsageThreshold.objects.filter(told_at=None, reached_at__lte=moment).exists()
        or Mailing.objects.filter(state__in=UNFINISHED, lease_until__lte=moment).exists()
    )
    return _turn(BACKSTOP_BUDGET)[0] if overdue else 0


def send_all() -> int:
    """All that is due, however long it takes; the number of mails sent."""
    return _turn(math.inf)[0] + keep_books(math.inf)


def keep_clocks(moment: datetime) -> None:
    """What has to be looked for, because nobody tells of it: other zones, deleted channels, other plans."""
    clocks.keep(moment)
    clocks.cancel_orphans()
    note_plan_changes(moment)


def _turn(budget: float) -> tuple[int, bool]:
    """The mails sent, and whether something is left."""
    deadline = time.monotonic() + budget
    keep_clocks(now())
    run = Run(KINDS, stop=stopping.is_set)
    try:
        run.bury()
        steps = [lambda kind=kind: run.claim_and_send(kind) for kind in PROMPT] + [run.reclaim_and_send]
        for step in steps:
            while step():
                if stopping.is_set() or time.monotonic() >= deadline:
                    return run.sent, True
    finally:
        run.close()
    return run.sent, False


def _once_more() -> None:
    try:
        async_task("digests.tasks.send_due")
    except Exception as error:
        logger.warning("The broker fails (%s). What is left is sent with the next turn.", type(error).__name__)
