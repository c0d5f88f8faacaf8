"""One try: render if needed, send, read the answer. Runs in sender threads, touches neither database nor settings."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aegisnotify.clock import now
from aegisnotify.logs import about
from notifications.catalog import OccurrenceKind
from notifications.channels.base import Answer, ChannelKind, Context, Outgoing, Reading, Verdict
from notifications.delivery.scrub import secrets_of
from notifications.delivery.transport import Transport
from notifications.messages import build

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Material:
    """What a people's message is made of."""

    kind: OccurrenceKind
    facts: Mapping[str, Any]
    project_name: str
    occurred_at: datetime
    context: Context
    test: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One try to make. `body` is what was stored; empty: render `material` first."""

    delivery_id: str
    kind: ChannelKind
    event: str
    config: Mapping[str, Any]
    occurrence_id: str = ""
    recipient: str = ""
    body: str = ""
    material: Material | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try went. `body` is given when it was made (or made smaller) in this try."""

    started_at: datetime
    answer: Answer
    reading: Reading
    body: str | None = None
    jitter: float = 0.5


def try_once(job: Job, transport: Transport) -> Tried:
    """Make one try, and log what came of it. Never raises: what goes wrong in our own code is read as a failure with a
    reason."""
    with about(hiding=secrets_of(job.config), delivery_id=job.delivery_id, occurrence_id=job.occurrence_id):
        tried = _try(job, transport)
        reading = tried.reading
        # The good ones are the many: at INFO their lines would cost more than a tenth of the delivery.
        level = logging.DEBUG if reading.verdict in (Verdict.OK, Verdict.ACCEPTED) else logging.INFO
        if logger.isEnabledFor(level):
            status = tried.answer.status or "no answer"
            logger.log(
                level,
                "%s by %s: %s (%s). %s",
                job.event,
                job.kind.name,
                reading.verdict.value,
                status,
                reading.sentence,
            )
        return tried


def _try(job: Job, transport: Transport) -> Tried:
    started_at, jitter = now(), random.random()  # noqa: S311 (spreads retries, protects nothing)
    body, answer = job.body, Answer()
    try:
        body = body or _render(job)
        answer, reading = _send(job, body, started_at, transport)
        if reading.too_large and job.material is not None:
            smaller = _render(job, compact=True)
            if smaller != body:
                body = smaller
                answer, reading = _send(job, body, started_at, transport)
    except _NotRendered:
        # The same input would raise on every try, so there is no use in trying again.
        logger.exception("The %s message could not be rendered.", job.kind.name)
        reading = Reading(
            Verdict.FAILED, "The message could not be made. This is a fault of ours and has been logged.", ours=True
        )
    except Exception:
        logger.exception("Sending by %s failed in our own code.", job.kind.name)
        reading = Reading(Verdict.RETRY, "Sending failed by a fault of ours, which has been logged.", ours=True)
    return Tried(started_at, answer, reading, body if body != job.body else None, jitter)


class _NotRendered(Exception):
    """The message could not be made."""


def _render(job: Job, *, compact: bool = False) -> str:
    try:
        return render(job, compact=compact)
    except Exception as error:
        raise _NotRendered from error


def render(job: Job, *, compact: bool = False) -> str:
    assert job.material is not None
    material = job.material
    message = build(
        kind=material.kind,
        facts=material.facts,
        event=job.event,
        project_name=material.project_name,
        occurred_at=material.occurred_at,
        test=material.test,
    )
    return job.kind.render(message, material.context, compact=compact)


def _send(job: Job, body: str, at: datetime, transport: Transport) -> tuple[Answer, Reading]:
    outgoing = Outgoing(
        delivery_id=job.delivery_id,
        event=job.event,
        body=body,
        config=job.config,
        at=at,
        recipient=job.recipient,
        test=job.test,
    )
    answer = job.kind.send(outgoing, transport)
    return answer, job.kind.read(answer)


MakeTransport = Callable[[], Transport]


def real_transport() -> Transport:
    """HTTP with the address rules of the settings, and Django's mail backend."""
    from notifications.delivery.http import SafeHttpClient
    from notifications.delivery.mail import DjangoMailClient

    return Transport(SafeHttpClient(), DjangoMailClient())
