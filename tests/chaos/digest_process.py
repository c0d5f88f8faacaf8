"""A process that sends digests and may be killed at a named point: `python -m tests.chaos.digest_process`.

Leases are short here, so that what a dead process left is looked at again within a second.
"""

import json
import os
import signal
import sys
from datetime import timedelta

import django


def seed(count):
    """So many people with a weekly digest that is due, in workspaces of five, and something to tell of."""
    from aegisnotify.clock import now
    from tests import factories
    from tests.digests.scenes import ran, subscribed

    for number in range(0, count, 5):
        project = factories.ProjectFactory(workspace__slug=f"w{number}", workspace__plan_code="business")
        ran(project, 3, failed=1)
        for person in range(number, min(number + 5, count)):
            user = factories.UserFactory(email=f"person{person}@example.com")
            factories.MembershipFactory(workspace=project.workspace, user=user)
            subscribed(user, project.workspace)
    return now().isoformat()


def turn(point):
    """One turn, with a `kill -9` of this process at the point when it is reached."""
    from aegisnotify.mail import DjangoMailClient
    from digests import mailings, tasks
    from digests.weekly.sending import Weekly

    mailings.LEASE = timedelta(seconds=1)
    mailings.HANDING_OVER = timedelta(seconds=1)
    mailings.WAITS = (timedelta(0), timedelta(0))

    def dying(function, *, after):
        def replacement(*args, **kwargs):
            if after:
                function(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        return replacement

    if point == "claimed":
        Weekly.make = dying(Weekly.make, after=False)
    elif point == "made":
        mailings.begin = dying(mailings.begin, after=False)
    elif point == "handing over":
        DjangoMailClient.send_once = dying(DjangoMailClient.send_once, after=False)
    elif point == "handed over":
        DjangoMailClient.send_once = dying(DjangoMailClient.send_once, after=True)
    elif point == "recording":
        mailings.sent = dying(mailings.sent, after=True)
    return tasks.send_due()


def ledger(_):
    from digests.models import Mailing

    return list(Mailing.objects.order_by("pk").values_list("recipient", "state", "reason", "tries"))


def report_runs(numbers):
    """Runs reported one by one: from the first to the last number."""
    from notifications.intake.recording import record
    from projects.models import Workspace

    workspace = Workspace.objects.select_related("plan").get(slug="busy")
    for number in range(*numbers):
        record(
            workspace,
            {"event": "run_completed", "project": "shop", "run": {"id": f"run-{number}", "status": "passed"}},
        )
    return True


def seed_usage(caps):
    from projects.models import Plan
    from tests import factories

    project = factories.ProjectFactory(slug="shop", workspace__slug="busy", workspace__plan_code="business")
    Plan.objects.filter(code="business").update(runs_per_month=caps)
    return project.slug


def usage(_):
    from digests import tasks
    from digests.models import Mailing, UsageThreshold
    from projects.models import UsageCounter

    tasks.send_due()
    return {
        "used": sum(UsageCounter.objects.values_list("used", flat=True)),
        "reached": list(UsageThreshold.objects.order_by("threshold").values_list("threshold", flat=True)),
        "mailings": list(Mailing.objects.order_by("pk").values_list("state", "subject")),
    }


QUESTIONS = {
    "seed": seed,
    "turn": turn,
    "ledger": ledger,
    "report_runs": report_runs,
    "seed_usage": seed_usage,
    "usage": usage,
}


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(QUESTIONS[sys.argv[1]](json.loads(sys.argv[2]))))
