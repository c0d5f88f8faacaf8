"""The designs that the engine is compared with: a task for each delivery, in django-q2 and in Celery.

Each does for one delivery what the engine does: load it, sign, post, read the answer, store result and attempt.
"""

import functools
from collections.abc import Callable
from typing import Any

import requests
from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings
from django.db import connections, transaction

from aegisnotify.clock import now
from notifications.channels.base import Answer
from notifications.channels.registry import get
from notifications.channels.webhook import signature
from notifications.models import Attempt, Delivery

Post = Callable[..., requests.Response]


def deliver(delivery_id: str, post: Post) -> None:
    row = Delivery.objects.select_related("channel").get(pk=delivery_id)
    assert row.channel is not None
    started, body = now(), row.body.encode()
    headers = signature.headers(
        delivery_id=str(row.pk), event=row.event, at=started, body=body, secret=row.channel.config["secret"]
    )
    response = post(row.channel.config["url"], data=body, headers=headers, timeout=15, allow_redirects=False)
    answer = Answer(status=response.status_code, body=response.text[:4096])
    reading = get("webhook").read(answer)
    moment = now()
    with transaction.atomic():
        row.status, row.next_at, row.delivered_at, row.attempt_count = "delivered", None, moment, 1
        row.save(update_fields=["status", "next_at", "delivered_at", "attempt_count"])
        Attempt.objects.create(
            delivery=row,
            number=1,
            at=started,
            duration_ms=round((moment - started).total_seconds() * 1000),
            status_code=answer.status,
            outcome=reading.verdict.value,
            error=reading.sentence,
            response=answer.body,
        )


# -- django-q2, as it comes out of the box --


def q_task(delivery_id: str) -> None:
    deliver(delivery_id, requests.post)


def q_enqueue() -> None:
    from django_q.tasks import async_task

    for delivery_id in Delivery.objects.values_list("pk", flat=True):
        async_task("tests.benchmarks.rivals.q_task", str(delivery_id))


# -- Celery, tuned: prefork 2, acks early, no results, a session for each process --

app = Celery("bench", broker=settings.REDIS_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=64,
    worker_hijack_root_logger=False,
    # Otherwise Celery closes the connection to the database after every task.
    CELERY_DB_REUSE_MAX=1_000_000_000,
)


@worker_process_init.connect
def _own_connections(**_: Any) -> None:
    connections.close_all()


@functools.cache
def _session() -> requests.Session:
    return requests.Session()


@app.task(name="deliver", ignore_result=True)
def celery_task(delivery_id: str) -> None:
    deliver(delivery_id, _session().post)


def celery_enqueue() -> None:
    with app.producer_or_acquire() as producer:
        for delivery_id in Delivery.objects.values_list("pk", flat=True):
            celery_task.apply_async((str(delivery_id),), producer=producer)
