"""What the question about digests does in a process with Django: subscribers, something to tell of, and sending."""

import random
import resource
import time
from datetime import timedelta

from django.db import connection

from aegisnotify.clock import now
from digests import tasks
from digests.models import Mailing, WeeklySubscription
from notifications.models import Occurrence
from projects.access import Role
from projects.models import Membership, Plan, Project, User, Workspace

READERS = 5
RUNS = 20


def fill(workspaces: int) -> int:
    """So many workspaces with five readers each, whose weekly digest is due, and two weeks of runs to tell of."""
    moment, dice = now(), random.Random(5)
    plan = Plan.objects.get(code="business")
    places = Workspace.objects.bulk_create(
        Workspace(name=f"Workspace {number}", slug=f"w{number}", plan=plan) for number in range(workspaces)
    )
    projects = Project.objects.bulk_create(
        Project(workspace=place, name=f"Shop {place.pk}", slug="shop") for place in places
    )
    users = User.objects.bulk_create(
        User(email=f"person{number}@example.com", name=f"Person {number}", email_verified_at=moment)
        for number in range(workspaces * READERS)
    )
    owners = [Role.OWNER] + [Role.MEMBER] * (READERS - 1)
    members = [
        Membership(workspace=places[number // READERS], user=user, role=owners[number % READERS])
        for number, user in enumerate(users)
    ]
    Membership.objects.bulk_create(members)
    WeeklySubscription.objects.bulk_create(
        WeeklySubscription(
            user=member.user,
            workspace=member.workspace,
            enabled=True,
            next_at=moment - timedelta(minutes=1),
            covered_until=moment - timedelta(days=7),
        )
        for member in members
    )
    for begin in range(0, len(projects), 100):
        Occurrence.objects.bulk_create(
            _run(project, number, dice.random() < 0.1, moment - timedelta(hours=dice.randint(1, 13 * 24)))
            for project in projects[begin : begin + 100]
            for number in range(RUNS)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return len(members)


def _run(project: Project, number: int, failed: bool, at: object) -> Occurrence:
    return Occurrence(
        workspace_id=project.workspace_id,
        project=project,
        kind="run",
        source_id=f"run-{number}",
        facts={
            "id": f"run-{number}",
            "status": "failed" if failed else "passed",
            "suite_name": f"Suite {number % 4}",
            "passed": 14,
            "failed": int(failed),
            "failures": [{"name": "pays with saved card", "message": "Timed out"}] if failed else [],
        },
        fired="run_failed,run_completed" if failed else "run_completed",
        occurred_at=at,
        received_at=at,
    )


def send() -> dict[str, float]:
    """Send all that is due: seconds, mails, queries, and the megabytes that this process needed more at its peak."""
    queries = 0

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal queries
        queries += 1
        return execute(sql, params, many, context)

    before = _peak()
    begun = time.perf_counter()
    with connection.execute_wrapper(count):
        sent = tasks.send_due(float("inf"))
    return {
        "seconds": time.perf_counter() - begun,
        "sent": sent,
        "queries": queries,
        "megabytes": _peak() - before,
    }


def outcomes() -> dict[str, int]:
    states: dict[str, int] = {}
    for state in Mailing.objects.values_list("state", flat=True):
        states[state] = states.get(state, 0) + 1
    return states


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
