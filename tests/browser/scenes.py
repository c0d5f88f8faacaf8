"""A workspace as it looks after a busy night, made through the intake."""

from datetime import timedelta

from aegisnotify.clock import now
from notifications.intake.recording import record
from notifications.models import Attempt, Delivery, DeliveryStatus
from projects.access import Role
from projects.actors import Source, person
from projects.models import UsageCounter
from projects.services import audit
from projects.usage import Meter, period_of
from tests import factories

CHANNELS = "/p/acme-web/config/integrations/notifications/?ws=acme"


def card(page, name):
    """What a page has of one channel."""
    return page.get_by_role("article", name=name)


def busy_workspace():
    """Returns the owner and the newest event: a failed scheduled run that reached some channels and not others."""
    owner = factories.UserFactory(email="lena@acme.example", name="Lena Ortiz", time_zone="Europe/Berlin")
    workspace = factories.WorkspaceFactory(name="Acme QA", slug="acme", owner=owner, plan_code="pro")
    factories.MembershipFactory(
        user=owner, workspace=factories.WorkspaceFactory(name="Lena's sandbox", slug="lena"), role=Role.VIEWER
    )
    project = factories.ProjectFactory(workspace=workspace, name="Acme Web", slug="acme-web")
    moment = now()

    def channel(kind, key, name, **fields):
        return factories.ChannelFactory(project=project, kind=kind, key=key, name=name, position=len(made), **fields)

    made = []
    made.append(channel("slack", "slack", "#eng-alerts", last_success_at=moment))
    made.append(
        channel(
            "discord",
            "discord",
            "#qa-runs",
            failures_in_a_row=6,
            last_error="Discord answered 404 Unknown Webhook: the webhook was deleted. Create a new one.",
        )
    )
    made.append(channel("teams", "teams", "Release room", paused_until=moment + timedelta(hours=20), paused_by=owner))
    made.append(channel("email", "email", "QA team"))
    factories.RecipientFactory(channel=made[-1], email="lena@acme.example")
    factories.RecipientFactory(channel=made[-1], email="stranger@elsewhere.example")
    made.append(channel("email", "email-boss", "Management"))
    made.extend(channel("webhook", f"webhook-{n}", name) for n, name in enumerate(("Ops dashboard", "Data warehouse")))
    made.append(channel("webhook", "webhook-3", "Old hook", enabled=False))
    factories.OverrideFactory(channel=made[4], event="run_failed", enabled=False)
    factories.OverrideFactory(channel=made[4], event="scheduled_runs", enabled=False)
    factories.OverrideFactory(channel=made[1], event="run_completed", enabled=True)
    audit.record(
        person(owner, Source.PAGE),
        "project.filters_changed",
        project,
        workspace=workspace,
        changes={"channel_filters.email-boss.run_failed": (None, False)},
    )
    for meter, used in ((Meter.RUNS, 2054), (Meter.SCANS, 100)):
        UsageCounter.objects.create(workspace=workspace, period=period_of(moment), meter=meter, used=used)

    record(
        workspace,
        {"event": "crawl_completed", "project": "acme-web", "crawl": {"id": "c1", "status": "completed", "pages": 42}},
    )
    record(
        workspace, {"event": "ai_generated", "project": "acme-web", "generation": {"id": "g1", "tests": 6, "suites": 2}}
    )
    event = record(workspace, FAILED_RUN).occurrence
    _finish(Delivery.objects.filter(occurrence=event), moment)
    for index, count in enumerate((3, 9, 14, 22, 31, 28, 19, 12, 10, 14, 17, 22, 26)):
        created = moment - timedelta(hours=22 - index)
        older = factories.OccurrenceFactory(project=project, received_at=created, decisions=[])
        for number in range(count):
            factories.DeliveryFactory(
                occurrence=older,
                channel=made[(0, 1, 5, 6)[number % 4]],
                recipient=str(number),
                status=DeliveryStatus.FAILED if number == 4 else DeliveryStatus.DELIVERED,
                next_at=None,
                created_at=created,
                delivered_at=None if number == 4 else created + timedelta(milliseconds=120 + 11 * number),
            )
    return owner, event


FAILED_RUN = {
    "event": "run_failed",
    "project": "acme-web",
    "run": {
        "id": "run-8214",
        "suite_name": "Checkout flow",
        "status": "failed",
        "trigger": "schedule",
        "schedule": {"id": "s1", "name": "Nightly smoke"},
        "browser": "chromium",
        "environment": "staging",
        "passed": 14,
        "failed": 3,
        "skipped": 1,
        "duration_ms": 38400,
        "url": "https://aegisrunner.example/runs/8214",
        "failures": [
            {"name": "pays with a saved card", "message": "expected 200, got 502 from POST /api/payments"},
            {"name": "shows the order number", "message": "Timeout 10000 ms waiting for [data-test=order-number]"},
        ],
    },
}


def _finish(deliveries, moment):
    for delivery in deliveries:
        failed = delivery.kind == "discord"
        delivery.status = DeliveryStatus.FAILED if failed else DeliveryStatus.DELIVERED
        delivery.next_at, delivery.attempt_count = None, 1
        delivery.delivered_at = None if failed else delivery.created_at + timedelta(milliseconds=212)
        delivery.save()
        if failed:
            Attempt.objects.create(
                delivery=delivery,
                number=1,
                at=moment,
                status_code=404,
                outcome=Attempt.Outcome.FAILED,
                error="Discord answered 404 Unknown Webhook: the webhook was deleted.",
            )
