"""One delivery with all that its page shows: what happened, what was sent, what came back."""

from dataclasses import dataclass
from datetime import datetime

from notifications.channels import registry
from notifications.channels.webhook.signature import USER_AGENT
from notifications.delivery.policy import PEOPLE, WEBHOOK
from notifications.delivery.scrub import secrets_of
from notifications.insight import outcomes, request
from notifications.insight.request import Shown
from notifications.insight.trace import describe
from notifications.messages import Message
from notifications.models import Attempt, Delivery, DeliveryStatus
from notifications.models.deliveries import FINISHED
from notifications.selectors.occurrences import look_of
from projects.entitlements import Category

SHOWN = 50
_TONES = {
    Attempt.Outcome.OK: ("ok", "check"),
    Attempt.Outcome.ACCEPTED: ("ok", "check"),
    Attempt.Outcome.RETRY: ("bad", "refresh"),
    Attempt.Outcome.FAILED: ("bad", "x"),
    Attempt.Outcome.INTERRUPTED: ("", "ban"),
}
_WORDS = {
    Attempt.Outcome.OK: "delivered",
    Attempt.Outcome.ACCEPTED: "accepted",
    Attempt.Outcome.RETRY: "not delivered",
    Attempt.Outcome.FAILED: "failed",
    Attempt.Outcome.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Try:
    number: int
    at: datetime
    duration_ms: int | None
    heading: str
    tone: str
    icon: str
    reading: str
    answer: str
    restarted_at: datetime | None
    """When somebody had it sent once more, for the first try after that."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    delivery: Delivery
    message: Message
    event_icon: str
    kind_label: str
    kind_icon: str
    category: str
    target: str
    """Where it went, masked."""
    tries: tuple[Try, ...]
    earlier: int
    """How many tries are older than those shown."""
    most_tries: int
    standing: str
    """How it stands, as a sentence."""
    request: Shown | None
    """None while the message is not made yet."""
    awaits_restart: datetime | None
    """When somebody had it sent once more, as long as no try has followed."""

    @property
    def is_finished(self) -> bool:
        return self.delivery.status in FINISHED

    @property
    def is_moving(self) -> bool:
        return self.delivery.status not in (*FINISHED, DeliveryStatus.HELD)

    @property
    def took_ms(self) -> int | None:
        """From the event's report (or the latest start anew) to the delivery."""
        row = self.delivery
        if row.delivered_at is None:
            return None
        return int((row.delivered_at - (row.restarted_at or row.created_at)).total_seconds() * 1000)


def delivery_page(row: Delivery) -> DeliveryPage:
    """`row` with its occurrence, project and channel loaded. One query: the tries."""
    row.occurrence.project = row.project
    kind = registry.find(row.kind)
    category = kind.category if kind else Category.CHAT
    newest = list(Attempt.objects.filter(delivery=row).order_by("-number", "-pk")[: SHOWN + 1])
    attempts = newest[:SHOWN][::-1]
    config = row.channel.config if row.channel else {}
    restarted = row.restarted_at
    follows = next((each.pk for each in attempts if restarted and each.at >= restarted), None)
    last = newest[0] if newest else None
    return DeliveryPage(
        delivery=row,
        message=describe(row.occurrence),
        event_icon=look_of(row.occurrence, row.event)[1],
        kind_label=kind.label if kind else row.kind,
        kind_icon=kind.icon if kind else "bell",
        category=category.value,
        target=row.recipient or (kind.target(config) if kind and config else ""),
        tries=tuple(_try(each, restarted if each.pk == follows else None) for each in attempts),
        earlier=max((attempts[0].number - 1) if len(newest) > SHOWN else 0, 0),
        most_tries=(WEBHOOK if category is Category.WEBHOOK else PEOPLE).tries,
        standing=outcomes.result(
            row.status,
            event=row.event,
            reason=row.status_reason,
            attempts=row.attempt_count,
            code=None,
            reading=last.error if last and (restarted is None or last.at >= restarted) else "",
            next_at=row.next_at,
        ),
        request=_request(row, category, last.at if last else row.created_at),
        awaits_restart=restarted if restarted and follows is None else None,
    )


def _try(attempt: Attempt, restarted_at: datetime | None) -> Try:
    outcome = Attempt.Outcome(attempt.outcome)
    tone, icon = _TONES[outcome]
    said = f"HTTP {attempt.status_code}" if attempt.status_code else _WORDS[outcome]
    return Try(
        number=attempt.number,
        at=attempt.at,
        duration_ms=attempt.duration_ms if outcome is not Attempt.Outcome.INTERRUPTED else None,
        heading=f"Try {attempt.number}: {said}",
        tone=tone,
        icon=icon,
        reading=attempt.error,
        answer=request.masked(attempt.response),
        restarted_at=restarted_at,
    )


def _request(row: Delivery, category: Category, at: datetime) -> Shown | None:
    if not row.body:
        return None
    config = row.channel.config if row.channel else {}
    if category is Category.EMAIL:
        return request.of_mail(row.body, row.recipient)
    if category is Category.CHAT:
        return request.of_chat(row.body, secrets_of(config), getattr(registry.get(row.kind), "user_agent", USER_AGENT))
    return request.of_webhook(
        row.body,
        delivery_id=str(row.pk),
        event=row.event,
        at=at,
        staged=bool(config.get("next_secret")),
        secrets=secrets_of(config),
    )
