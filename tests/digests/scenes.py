"""What the tests of digests share."""

from datetime import timedelta

from aegisnotify.clock import now
from digests.models import Mailing, WeeklySubscription
from digests.services import preferences
from projects.actors import SYSTEM
from tests import factories


def ran(project, count=1, failed=0, suite="Checkout flow", at=None, **facts):
    """Runs of a project, the first ones failed."""
    at = at or now() - timedelta(minutes=5)
    return [
        factories.OccurrenceFactory(
            project=project,
            facts={
                "id": f"{suite}-{number}",
                "status": "failed" if number < failed else "passed",
                "suite_name": suite,
                "passed": 5,
                "failed": int(number < failed),
                "failures": [{"name": "pays with saved card", "message": "Timed out"}] if number < failed else [],
                **facts,
            },
            fired="run_failed,run_completed" if number < failed else "run_completed",
            occurred_at=at,
            received_at=at,
        )
        for number in range(count)
    ]


def subscribed(user, workspace, due=True, **choices):
    """A weekly digest, due now."""
    row = preferences.set_weekly(SYSTEM, user, workspace, enabled=True, **choices)
    if due:
        moment = now() - timedelta(minutes=1)
        WeeklySubscription.objects.filter(pk=row.pk).update(next_at=moment, covered_until=moment - timedelta(days=7))
        row.refresh_from_db()
    return row


def outcomes(**filters):
    """`(kind, state, reason)` of all mailings, in the order of their making."""
    return list(Mailing.objects.filter(**filters).order_by("pk").values_list("kind", "state", "reason"))
