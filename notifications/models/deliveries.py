"""Deliveries are the queue (a transactional outbox); attempts are their history."""

from collections.abc import Sequence

from django.db import models
from django.db.models.expressions import RawSQL

from aegisnotify.ids import uuid7
from notifications.models.channels import Channel
from notifications.models.occurrences import Occurrence
from projects.models import Project, Workspace


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


# What the engine may claim. A row that is `sending` with an expired lease (its process died) is simply due again.
UNFINISHED = (DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.RETRYING)
FINISHED = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
# The rare ones among those that the engine leaves alone.
ENDS_TO_LOOK_AT = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED, DeliveryStatus.HELD)
UNDELIVERED = (*UNFINISHED, *ENDS_TO_LOOK_AT)


class Delivery(models.Model):
    """One message on its way to one target.

    `next_at` is when the row may be claimed: the next try of a waiting one, the end of the lease of a claimed one,
    null when finished or held. `attempt_count` counts begun tries, `step` the steps of the retry ladder since the
    last (re)start. `body` is what is sent, byte for byte: made at intake for webhooks, at the first try for people's
    channels.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    channel_key = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    event = models.CharField(max_length=40)
    recipient = models.CharField(max_length=254, blank=True)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempt_count = models.PositiveIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    # Set by the claim: whether the one before it ended without a result, and how often in a row that happened. From the
    # second time on only what had been `begun` counts.
    interrupted = models.BooleanField(default=False)
    interruptions = models.PositiveSmallIntegerField(default=0)
    begun = models.BooleanField(default=False, db_default=False)
    # Waits for nothing but the open breaker of its channel: due at once when that closes.
    behind_breaker = models.BooleanField(default=False, db_default=False)
    # The moment that the target's pace has reserved for this delivery.
    slot_at = models.DateTimeField(null=True, blank=True)
    body = models.TextField(blank=True)
    status_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    restarted_at = models.DateTimeField(null=True, blank=True, help_text="when the ladder began again, by a redelivery")
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(status__in=UNFINISHED), name="delivery_due"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="delivery_by_workspace"),
            models.Index(fields=["project", "-created_at", "-id"], name="delivery_by_project"),
            models.Index(fields=["channel", "-created_at", "-id"], name="delivery_by_channel"),
            # With the id, so that the newest of a rare status come in their order; without it SQLite would rather walk
            # through all of the workspace's.
            models.Index(fields=["workspace", "status", "-created_at", "-id"], name="delivery_by_status"),
            # What was not delivered, within a project and a channel: few rows, of whatever size the history is.
            models.Index(
                fields=["project", "status", "-created_at", "-id"],
                condition=models.Q(status__in=UNDELIVERED),
                name="undelivered_by_project",
            ),
            models.Index(
                fields=["channel", "status", "-created_at", "-id"],
                condition=models.Q(status__in=UNDELIVERED),
                name="undelivered_by_channel",
            ),
            # What a channel holds for its daily digest.
            models.Index(fields=["channel", "recipient"], condition=models.Q(status="held"), name="delivery_held"),
            models.Index(
                fields=["channel", "next_at"],
                condition=models.Q(behind_breaker=True),
                name="delivery_behind_breaker",
            ),
            # For staff, across workspaces: whoever got mail, and the rare ends. What is delivered is in neither.
            models.Index(fields=["recipient", "-id"], condition=~models.Q(recipient=""), name="delivery_by_recipient"),
            models.Index(
                fields=["status", "-id"],
                condition=models.Q(status__in=ENDS_TO_LOOK_AT),
                name="delivery_by_end",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["occurrence", "channel", "event", "recipient"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values), name="delivery_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=UNFINISHED, next_at__isnull=False)
                | models.Q(status__in=[*FINISHED, DeliveryStatus.HELD], next_at=None),
                name="delivery_is_due_or_done",
            ),
            models.CheckConstraint(
                condition=models.Q(status="sending", lease_token__isnull=False)
                | (~models.Q(status="sending") & models.Q(lease_token=None)),
                name="delivery_lease_while_sending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel_key}"


def status_among(statuses: Sequence[DeliveryStatus]) -> RawSQL:
    """The condition of a partial index of deliveries, with its values written out: SQLite takes such an index only for
    a query that has the same condition word for word, which parameters are not."""
    names = ", ".join(f"'{status.value}'" for status in statuses)
    condition = f'"{Delivery._meta.db_table}"."status" IN ({names})'
    return RawSQL(condition, [], output_field=models.BooleanField())  # noqa: S611


class Attempt(models.Model):
    """One try: when, how long, what the other side answered, and our reading of it."""

    class Outcome(models.TextChoices):
        OK = "ok"
        ACCEPTED = "accepted"
        RETRY = "retry"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    status_code = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome)
    error = models.CharField(max_length=500, blank=True, help_text="our reading of the answer, a sentence")
    response = models.TextField(blank=True, help_text="what the other side answered, scrubbed, at most 4 KB")

    class Meta:
        ordering = ["number", "id"]
        indexes = [models.Index(fields=["delivery", "number"], name="attempt_by_delivery")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["ok", "accepted", "retry", "failed", "interrupted"]),
                name="attempt_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"try {self.number}: {self.outcome}"
