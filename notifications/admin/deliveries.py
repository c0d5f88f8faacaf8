"""Deliveries and their attempts: history, and sending once more."""

from collections import Counter

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from aegisnotify.admin import ReadOnlyAdmin, ReadOnlyInline
from notifications.admin.choices import EventFilter, KindFilter
from notifications.models import Attempt, Delivery
from notifications.services.deliveries import redeliver
from projects.admin.acting import actor_of
from projects.errors import ServiceError

# Each is a transaction with an audit entry; more at once would outlast a web server's patience.
MOST_AT_ONCE = 500


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("number", "at", "duration_ms", "status_code", "outcome", "error", "response")
    readonly_fields = fields


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
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
    list_display = ("id", "created_at", "project", "channel_key", "event", "recipient", "status", "attempt_count")
    list_select_related = ("project",)
    defer_in_list = ("body",)
    list_filter = ("status", KindFilter, EventFilter)
    search_by_id = ("id", "occurrence_id", "channel_id", "project_id")
    search_help_text = "The id of a delivery, event, channel or project"
    actions = ("redeliver",)

    @admin.display(description="channel")
    def of_channel(self, delivery: Delivery) -> str:
        """Its id, not its row: the row holds the channel's secrets."""
        return str(delivery.channel_id or "deleted")

    @admin.display(description="body")
    def size(self, delivery: Delivery) -> str:
        """Its size. The body of an email holds links that act for their reader, so it is no staff's to see."""
        return f"{len(delivery.body.encode()):,} bytes"

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @admin.action(description="Redeliver the selected deliveries", permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        rows = list(deliveries.order_by("pk").defer("body")[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            self.message_user(
                request, f"At most {MOST_AT_ONCE} at once: select fewer. Nothing was redelivered.", messages.ERROR
            )
            return
        done, refused = 0, Counter[str]()
        actor = actor_of(request)
        for row in rows:
            try:
                redeliver(actor, row)
                done += 1
            except ServiceError as refusal:
                refused[refusal.message] += 1
        if done:
            self.message_user(request, f"Redelivered: {done}.", messages.SUCCESS)
        for sentence, count in refused.most_common():
            self.message_user(request, f"Refused: {count}. {sentence}", messages.WARNING)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
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
    list_filter = ("outcome",)
    search_by_id = ("delivery_id",)
    search_help_text = "The id of a delivery"
