"""Deliveries and their attempts: history, sending once more, and not sending."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from aegisnotify.admin import (
    Confirmation,
    HistoryAdmin,
    ReadOnlyInline,
    ask,
    is_confirmed,
    list_link,
    page_link,
)
from notifications.admin.choices import (
    CreatedFilter,
    NewestEventFilter,
    NewestKindFilter,
    NewestOutcomeFilter,
    StatusFilter,
)
from notifications.admin.seeking import as_uuid, events_named, of_owner
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus
from notifications.models.deliveries import FINISHED, UNFINISHED
from notifications.services.deliveries import cancel, redeliver
from projects.actors import Actor
from projects.admin.acting import actor_of
from projects.errors import ServiceError

# Each is a transaction with an audit entry; more at once would outlast a web server's patience.
MOST_AT_ONCE = 500
CANCELLABLE = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING, DeliveryStatus.HELD)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("number", "at", "duration_ms", "status_code", "outcome", "error", "response")
    readonly_fields = fields


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    found_by_workspace = True
    fields = (
        "id",
        "occurrence",
        "workspace",
        "project",
        "of_channel",
        "channel_key",
        "kind",
        "event",
        "recipient",
        "status",
        "status_reason",
        "attempt_count",
        "step",
        "next_at",
        "interrupted",
        "interruptions",
        "created_at",
        "delivered_at",
        "size",
    )
    inlines = (AttemptInline,)
    list_display = ("id", "status", "event", "channel_key", "recipient", "project", "created_at", "attempt_count")
    list_select_related = ("project",)
    defer_in_list = ("body",)
    select_in_page = ("workspace", "project", "occurrence")
    list_filter = (StatusFilter, CreatedFilter, NewestKindFilter, NewestEventFilter)
    search_help_text = (
        "The id of a delivery, event, run, scan, generation, channel or project, a recipient's whole address, or a "
        "workspace's slug"
    )
    actions = ("redeliver", "cancel")

    def get_ordering(self, request: HttpRequest) -> Any:
        # Of what is unfinished, what is due first stands first, by the index that the engine claims by.
        return ("next_at", "pk") if request.GET.get("status") in UNFINISHED else super().get_ordering(request)

    def sought(self, rows: QuerySet[Delivery], term: str) -> QuerySet[Delivery]:
        owned = of_owner(rows, term, ("-created_at", "-pk"))
        if owned is not None:
            return owned
        sought = as_uuid(term)
        if sought is not None and Delivery.objects.filter(pk=sought).exists():
            return rows.filter(pk=sought)
        events = [*events_named(term), *([sought] if sought else [])]
        if events or "@" not in term:
            return rows.filter(occurrence__in=events)
        return rows.filter(recipient=term.lower()).exclude(recipient="")

    def view_on_site(self, delivery: Delivery) -> str:
        return page_link("delivery", delivery.pk, workspace=delivery.workspace.slug)

    @admin.display(description="channel")
    def of_channel(self, delivery: Delivery) -> SafeString | str:
        """A link, without its row: the row holds the channel's secrets."""
        channel = delivery.channel_id
        return list_link(Channel, str(channel), q=channel) if channel else "deleted"

    @admin.display(description="body")
    def size(self, delivery: Delivery) -> str:
        """Its size. The body of an email holds links that act for their reader, so it is no staff's to see."""
        return f"{len(delivery.body.encode()):,} bytes"

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @admin.action(description="Redeliver the selected deliveries", permissions=["operate"])
    def redeliver(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> HttpResponse | None:
        return self._with_each(
            request,
            deliveries,
            redeliver,
            done="Redelivered",
            allowed=FINISHED,
            question="Redeliver {count}?",
            notes=(
                "The same ids go out again, with the channels' present addresses and secrets. What a channel or plan "
                "does not allow is refused one by one, and counted.",
            ),
        )

    @admin.action(description="Cancel the selected deliveries", permissions=["operate"])
    def cancel(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> HttpResponse | None:
        return self._with_each(
            request,
            deliveries,
            cancel,
            done="Cancelled",
            allowed=CANCELLABLE,
            question="Cancel {count}?",
            notes=("They are not sent. Each can be redelivered.",),
        )

    def _with_each(
        self,
        request: HttpRequest,
        deliveries: QuerySet[Delivery],
        service: Callable[[Actor, Delivery], Delivery],
        *,
        done: str,
        allowed: tuple[DeliveryStatus, ...],
        question: str,
        notes: tuple[str, ...],
    ) -> HttpResponse | None:
        rows = list(deliveries.order_by("pk").defer("body")[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            sentence = f"At most {MOST_AT_ONCE} at once: select fewer. Nothing was {done.lower()}."
            self.message_user(request, sentence, messages.ERROR)
            return None
        if not is_confirmed(request):
            counts = _counts(rows, allowed, done.lower())
            possible = sum(row.status in allowed for row in rows)
            title = question.format(count=f"{possible} {'delivery' if possible == 1 else 'deliveries'}")
            return ask(self, request, [row.pk for row in rows], Confirmation(title, counts, title[:-1], notes))
        count, refused = 0, Counter[str]()
        actor = actor_of(request)
        for row in rows:
            try:
                service(actor, row)
                count += 1
            except ServiceError as refusal:
                refused[refusal.message] += 1
        if count:
            self.message_user(request, f"{done}: {count}.", messages.SUCCESS)
        for sentence, times in refused.most_common():
            self.message_user(request, f"Refused: {times}. {sentence}", messages.WARNING)
        return None


def _counts(rows: list[Delivery], allowed: tuple[DeliveryStatus, ...], done: str) -> list[tuple[int, str]]:
    """How many of each status there are, and what becomes of them; those it is done to first."""
    found = Counter(row.status for row in rows)
    ordered = sorted(found, key=lambda status: (status not in allowed, DeliveryStatus.values.index(status)))
    return [
        (found[status], f"{status}: to be {done}" if status in allowed else f"{status}: left as they are")
        for status in ordered
    ]


@admin.register(Attempt)
class AttemptAdmin(HistoryAdmin):
    fields = (
        "delivery",
        "number",
        "at",
        "duration_ms",
        "status_code",
        "outcome",
        "error",
        "response",
    )
    list_display = ("at", "delivery_id", "number", "outcome", "status_code", "duration_ms", "error")
    defer_in_list = ("response",)
    list_filter = (NewestOutcomeFilter,)
    search_help_text = "The id of a delivery"

    def sought(self, rows: QuerySet[Attempt], term: str) -> QuerySet[Attempt]:
        delivery = as_uuid(term)
        return rows.filter(delivery=delivery) if delivery else rows.none()
