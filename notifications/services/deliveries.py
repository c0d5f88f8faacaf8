"""Sending a delivery once more."""

from functools import partial

from django.db import transaction

from aegisnotify.clock import now
from notifications.addresses.selectors import recipient_states
from notifications.channels import registry
from notifications.delivery import outbox, wakeup
from notifications.models import Channel, Delivery, DeliveryStatus
from notifications.models.deliveries import FINISHED
from notifications.routing import RecipientState
from notifications.selectors.channels import is_paused, over_plan_limit, places
from notifications.services.hours import recount_soon
from projects.actors import Actor
from projects.entitlements import room_for
from projects.errors import Conflict, PlanLimit
from projects.selectors import limits_of
from projects.services import audit


@transaction.atomic
def redeliver(actor: Actor, delivery: Delivery) -> Delivery:
    """Start the ladder again under the same id. `attempt_count` goes on.

    Raises `Conflict` while the delivery is unfinished, its channel can't send or its address may not be written to,
    `PlanLimit` when the channel is over the plan.
    """
    row = (
        Delivery.objects.select_for_update(of=("self",)).select_related("project__workspace__plan").get(pk=delivery.pk)
    )
    if row.status not in FINISHED:
        raise Conflict(f"This delivery is {row.status}: it is not finished yet.")
    channel = Channel.objects.filter(pk=row.channel_id).first() if row.channel_id else None
    require_able(channel)
    assert channel is not None
    require_in_plan(channel)
    _require_willing(row)
    before = row.status
    row.status, row.step, row.next_at, row.restarted_at = DeliveryStatus.PENDING, 0, now(), now()
    row.status_reason, row.delivered_at, row.interruptions = "", None, 0
    row.save(
        update_fields=["status", "step", "next_at", "restarted_at", "status_reason", "delivered_at", "interruptions"]
    )
    recount_soon(row.workspace_id, [row.created_at])
    audit.record(
        actor,
        "delivery.redelivered",
        row,
        workspace=row.workspace,
        project=row.project,
        changes={"status": (before, row.status.value)},
    )
    transaction.on_commit(wakeup.wake, robust=True)
    return row


CANCELLED_BY_STAFF = "Cancelled by our staff."


@transaction.atomic
def cancel(actor: Actor, delivery: Delivery) -> Delivery:
    """Never send a delivery that waits, for a try or for the daily digest. It can be redelivered.

    Raises `Conflict` for one that is finished already, and for one that is being sent at this moment.
    """
    row = Delivery.objects.select_for_update(of=("self",)).select_related("project__workspace").get(pk=delivery.pk)
    if row.status in FINISHED:
        raise Conflict(f"This delivery is {row.status} already.")
    if row.status == DeliveryStatus.SENDING:
        raise Conflict("This delivery is being sent at this moment. Look again in a minute.")
    before = row.status
    row.status, row.next_at, row.status_reason = DeliveryStatus.CANCELLED, None, CANCELLED_BY_STAFF
    row.save(update_fields=["status", "next_at", "status_reason"])
    audit.record(
        actor,
        "delivery.cancelled",
        row,
        workspace=row.workspace,
        project=row.project,
        changes={"status": (before, row.status.value)},
    )
    return row


def release(channel: Channel) -> None:
    """Make due what waits because `channel`, as it was read, is to be left alone for a while.

    Call it in the transaction that puts the channel to work again; it is done after that one, since whoever deletes a
    channel locks its deliveries before the channel.
    """
    moment = now()
    until = max(filter(None, (channel.not_before, channel.breaker_open_until)), default=moment)
    if until <= moment and channel.breaker_open_until is None:
        return
    transaction.on_commit(partial(outbox.release_until, channel.pk, moment, until), robust=True)
    transaction.on_commit(partial(outbox.release, channel.pk, moment), robust=True)
    transaction.on_commit(wakeup.wake, robust=True)


def _require_willing(delivery: Delivery) -> None:
    """Raises `Conflict` when the address it goes to takes no mail (any more)."""
    if not delivery.recipient:
        return
    states = recipient_states(delivery.workspace_id, delivery.project_id, [delivery.recipient])
    for state in states.values():
        if state is not RecipientState.CONFIRMED:
            raise Conflict(f"The address is {state.value}, so no mail may go there.")


def require_able(channel: Channel | None) -> None:
    """Raises `Conflict` when the channel is gone, off, paused or suspended."""
    if channel is None:
        raise Conflict("The channel was deleted, so there is nowhere to send this.")
    if not channel.enabled:
        raise Conflict("The channel is off. Switch it on first.")
    if channel.suspended_at is not None:
        raise Conflict("The channel is suspended. Send a test first: a good one lifts the suspension.")
    if is_paused(channel, now()):
        raise Conflict("The channel is paused. Resume it first.")


def require_in_plan(channel: Channel) -> None:
    """Raises `PlanLimit` when the plan does not carry the channel, or would not if it were switched on."""
    limits = limits_of(channel.project.workspace.plan)
    channels = list(channel.project.channels.all())
    if channel.enabled and channel.pk not in over_plan_limit(limits, channels):
        return
    others = places(other for other in channels if other.pk != channel.pk)
    exceeded = room_for(limits, others, channel.kind, registry.get(channel.kind).category)
    if exceeded:
        raise PlanLimit(exceeded)
