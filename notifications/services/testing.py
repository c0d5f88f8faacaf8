"""Test messages: a sample through the same rendering and sending path, the answer at once."""

import logging
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import transaction

from aegisnotify.clock import now
from aegisnotify.ids import uuid7
from notifications import catalog, samples
from notifications.channels import registry
from notifications.channels.base import Context, Verdict
from notifications.channels.webhook import body as webhook_body
from notifications.delivery.scrub import scrub, secrets_of
from notifications.delivery.sending import Job, MakeTransport, Material, Tried, real_transport, try_once
from notifications.delivery.transport import Transport
from notifications.intake.decisions import project_json
from notifications.models import Channel
from notifications.routing import RecipientState
from notifications.selectors.routing import recipients_of
from notifications.services.channels import activate_due_secret
from notifications.services.deliveries import release, require_in_plan
from projects.actors import Actor
from projects.entitlements import Category
from projects.errors import Conflict, Invalid, TooMany
from projects.services import audit

logger = logging.getLogger(__name__)

PER_MINUTE = 10
# Somebody waits for the answer: after so many milliseconds no further address is begun.
PATIENCE = 10_000


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of a test. `reading` is our sentence about the answer."""

    __test__ = False

    ok: bool
    status_code: int | None
    response: str
    reading: str
    duration_ms: int


def send_test(
    actor: Actor, channel: Channel, event: Any, *, make_transport: MakeTransport = real_transport
) -> TestResult:
    """Send a sample of `event`, also while the channel is off, paused or suspended: 15 seconds at most, and to an email
    channel's many addresses 25.

    A success lifts a suspension. Raises `Invalid` for an unknown event, `PlanLimit` over the plan, `Conflict` when
    nobody may be written to, `TooMany` after ten in a minute.
    """
    if not isinstance(event, str) or catalog.find(event) is None:
        raise Invalid({"event": [f"Name one of {', '.join(catalog.names())}."]})
    require_in_plan(channel)
    recipients = _recipients(channel)
    _require_pace(channel)
    channel = activate_due_secret(channel)
    transport = make_transport()
    try:
        tries = _try_all(channel, event, recipients, transport)
    finally:
        transport.close()
    result = _result(channel, tries, untried=len(recipients) - len(tries))
    _note(actor, channel, event, result)
    return result


def _try_all(channel: Channel, event: str, recipients: list[str], transport: Transport) -> list[Tried]:
    tries: list[Tried] = []
    for recipient in recipients:
        tries.append(try_once(_job(channel, event, recipient), transport))
        if sum(each.answer.duration_ms for each in tries) >= PATIENCE:
            break
    return tries


def _recipients(channel: Channel) -> list[str]:
    if registry.get(channel.kind).category is not Category.EMAIL:
        return [""]
    everybody = recipients_of(channel.project, [channel]).get(channel.pk, ())
    allowed = [recipient.email for recipient in everybody if recipient.state is RecipientState.CONFIRMED]
    if not allowed:
        states = ", ".join(sorted({recipient.state.value for recipient in everybody})) or "none"
        raise Conflict(f"No recipient of this channel may be written to yet (addresses: {states}).")
    return allowed


def _require_pace(channel: Channel) -> None:
    minute, passed = divmod(int(now().timestamp()), 60)
    key = f"channel-test:{channel.pk}:{minute}"
    try:
        cache.add(key, 0, timeout=120)
        count = cache.incr(key)
    except Exception as error:
        # A broken cache must not keep anybody from finding out what is wrong.
        logger.warning("Tests are not counted: %s", type(error).__name__)
        return
    if count > PER_MINUTE:
        wait = 60 - passed
        raise TooMany(
            f"At most {PER_MINUTE} tests a minute per channel. Try again in {wait} seconds.",
            {"retry_after": wait},
            retry_after=wait,
        )


def _job(channel: Channel, event: str, recipient: str) -> Job:
    kind, project = registry.get(channel.kind), channel.project
    facts, occurrence_kind, moment = samples.facts(event), catalog.get(event).kind, now()
    delivery_id = str(uuid7())
    is_webhook = kind.category is Category.WEBHOOK
    return Job(
        delivery_id=delivery_id,
        kind=kind,
        event=event,
        config=channel.config,
        recipient=recipient,
        body=webhook_body.build(occurrence_kind, facts, event, project_json(project), moment, test=True)
        if is_webhook
        else "",
        material=None
        if is_webhook
        else Material(
            kind=occurrence_kind,
            facts=facts,
            project_name=project.name,
            occurred_at=moment,
            context=Context(
                delivery_id=delivery_id,
                project_id=str(project.pk),
                zone=project.workspace.zone,
                event_url="",
                reason=f"Somebody pressed Test on the channel {channel.name} of {project.name}.",
                recipient=recipient,
            ),
            test=True,
        ),
        test=True,
    )


def _result(channel: Channel, tries: list[Tried], untried: int) -> TestResult:
    good = (Verdict.OK, Verdict.ACCEPTED)
    # With several recipients the first failure is what somebody has to look at.
    shown = next((each for each in tries if each.reading.verdict not in good), tries[0])
    reading = shown.reading.sentence
    if untried:
        reading += f" The mail server is slow: {untried} of {len(tries) + untried} addresses were not tried."
    return TestResult(
        ok=shown.reading.verdict in good,
        status_code=shown.answer.status,
        response=scrub(shown.answer.body, secrets_of(channel.config)),
        reading=reading,
        duration_ms=sum(each.answer.duration_ms for each in tries),
    )


@transaction.atomic
def _note(actor: Actor, channel: Channel, event: str, result: TestResult) -> None:
    row = Channel.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=channel.pk)
    changes: dict[str, tuple[Any, Any]] = {"test": (None, f"{event}: {'ok' if result.ok else 'failed'}")}
    # Somebody may have replaced the URL while the test was under way: its answer says nothing of the new one.
    same_target = row.target_fingerprint == channel.target_fingerprint
    if same_target and result.ok:
        release(row)
        if row.suspended_at is not None:
            changes["suspended"] = (True, False)
        row.suspended_at, row.suspended_reason = None, ""
        row.failures_in_a_row, row.first_failure_at, row.failing_since, row.warned_stage = 0, None, None, ""
        row.last_success_at, row.not_before, row.breaker_open_until = now(), None, None
        row.breaker_window_at, row.breaker_tries, row.breaker_failures = None, 0, 0
    elif same_target:
        row.last_error_at, row.last_error = now(), result.reading[:500]
    row.save()
    audit.record(
        actor,
        "channel.tested",
        row,
        workspace=row.project.workspace,
        project=row.project,
        changes=changes,
    )
