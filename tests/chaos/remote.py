"""What the tests ask of the installation under test, in a process with its settings: `python -m tests.chaos.remote`."""

import json
import sys

import django


def seed(urls):
    """A project with a webhook for each of the named URLs; the token to report with."""
    from tests.factories import ProjectFactory, TokenFactory

    project = ProjectFactory(slug="shop", workspace__plan_code="business")
    add_channels(project, urls)
    return TokenFactory(workspace=project.workspace).text


def add_channels(project, urls):
    from tests.factories import ChannelFactory

    for name, url in urls.items():
        ChannelFactory(
            project=project,
            key=name,
            name=name,
            config={"url": url, "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
        )


def queue(count):
    """So many deliveries, due now, and no others."""
    from notifications.models import Channel, Occurrence
    from tests.factories import DeliveryFactory, OccurrenceFactory

    Occurrence.objects.all().delete()
    channel = Channel.objects.get()
    for number in range(count):
        occurrence = OccurrenceFactory(project=channel.project, kind="crawl", source_id=f"queued-{number}")
        body = json.dumps({"event": "crawl_completed", "crawl": {"id": occurrence.source_id}})
        DeliveryFactory(occurrence=occurrence, channel=channel, event="crawl_completed", body=body)


def ledger(_):
    """Every delivery, and how many of them each occurrence has."""
    from django.db.models import Count

    from notifications.models import Delivery, Occurrence

    columns = ["id", "status", "attempt_count", "status_reason", "channel_key"]
    return {
        "occurrences": dict(Occurrence.objects.annotate(n=Count("deliveries")).values_list("source_id", "n")),
        "deliveries": [
            dict(zip(columns, map(str, row), strict=True)) for row in Delivery.objects.values_list(*columns)
        ],
    }


def readings(_):
    """What the first tries of each channel were read as: [outcome, status, sentence, milliseconds]."""
    from notifications.models import Attempt

    found = {}
    rows = Attempt.objects.order_by("at").exclude(outcome="interrupted")
    for key, *reading in rows.values_list("delivery__channel_key", "outcome", "status_code", "error", "duration_ms"):
        found.setdefault(key, []).append(reading)
    return {key: entries[:50] for key, entries in found.items()}


def unfinished(_):
    """How many deliveries are in which state of those that are not finished, and how many tries they count."""
    from django.db.models import Count, Sum

    from notifications.models import Delivery
    from notifications.models.deliveries import UNFINISHED

    rows = (
        Delivery.objects.filter(status__in=UNFINISHED).values_list("status").annotate(Count("pk"), Sum("attempt_count"))
    )
    return {status: [count, tries] for status, count, tries in rows}


def replace(urls):
    """New channels with these URLs in place of those of the same names, whose deliveries are taken back."""
    from notifications.models import Channel, Delivery
    from notifications.models.deliveries import UNFINISHED, DeliveryStatus

    replaced = Channel.objects.filter(key__in=urls)
    project = replaced[0].project
    replaced.update(enabled=False)
    Delivery.objects.filter(channel__in=replaced, status__in=UNFINISHED).update(
        status=DeliveryStatus.CANCELLED, next_at=None, lease_token=None, behind_breaker=False
    )
    add_channels(project, {f"{name}-replaced": url for name, url in urls.items()})


QUESTIONS = {
    "seed": seed,
    "queue": queue,
    "ledger": ledger,
    "readings": readings,
    "unfinished": unfinished,
    "replace": replace,
}


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(QUESTIONS[sys.argv[1]](json.loads(sys.argv[2]))))
