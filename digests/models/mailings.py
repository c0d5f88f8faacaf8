"""Every digest, nudge and warning: whom for, and what came of it."""

from django.conf import settings
from django.db import models

from aegisnotify.ids import uuid7
from notifications.models import Channel, Delivery
from projects.models import Workspace


class MailingKind(models.TextChoices):
    WEEKLY = "weekly", "Weekly digest"
    DAILY = "daily", "Daily digest"
    NUDGE = "nudge", "Reminder"
    USAGE = "usage", "Usage warning"


class MailingState(models.TextChoices):
    """`claimed` may be claimed again after its lease. `handing_over` is never sent again, whatever became of it."""

    CLAIMED = "claimed"
    HANDING_OVER = "handing_over"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


UNFINISHED = (MailingState.CLAIMED, MailingState.HANDING_OVER)


class SkipReason(models.TextChoices):
    """Why a mail was not sent; the value is stored in `Mailing.reason`."""

    NOTHING_HAPPENED = "nothing_happened", "Nothing happened"
    TOO_LATE = "too_late", "Too late"
    NOT_A_MEMBER = "not_a_member", "No longer a member, or no longer owner or admin"
    UNVERIFIED = "unverified", "The address is not verified"
    INACTIVE = "inactive", "The account is switched off"
    BOUNCED = "bounced", "Mail to the address bounced"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
    UNCONFIRMED = "unconfirmed", "The address is not confirmed"
    WORKSPACE_UNSUBSCRIBED = "workspace_unsubscribed", "The workspace unsubscribed"
    NO_WORKSPACE = "no_workspace", "Belongs to no workspace"
    ACTIVE_AGAIN = "active_again", "Active again"
    CAP_CHANGED = "cap_changed", "The plan has another cap now"
    CHANNEL_OFF = "channel_off", "The channel is off"
    PAUSED = "paused", "The channel is paused"
    SUSPENDED = "suspended", "The channel is suspended"
    CHANNEL_DELETED = "channel_deleted", "The channel was deleted"


class FailReason(models.TextChoices):
    """Why a mail failed; the value is stored in `Mailing.reason`."""

    INTERRUPTED = "interrupted", "The process died, or the mail server fell silent, while it was handed over"
    REFUSED = "refused", "The mail server refused it"
    MAIL_SERVER = "mail_server", "The mail server could not take it, three times"
    FAULT = "fault", "It could not be made: a fault of ours"


class Mailing(models.Model):
    """One mail to one address, for one period. `key` names both, so that there is never a second one.

    `lease_until` is when a claimed one may be claimed again (also the moment of its next try) and when one that is
    being handed over counts as interrupted. `facts` holds what the kind needs to make it, besides the window.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=400, unique=True)
    kind = models.CharField(max_length=8, choices=MailingKind)
    recipient = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="mailings"
    )
    workspace = models.ForeignKey(Workspace, null=True, blank=True, on_delete=models.CASCADE, related_name="mailings")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.SET_NULL, related_name="mailings")
    subject = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField()
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=MailingState, default=MailingState.CLAIMED)
    reason = models.CharField(max_length=30, blank=True, choices=[*SkipReason.choices, *FailReason.choices])
    detail = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    claims = models.PositiveSmallIntegerField(default=0, help_text="how often a process took it up")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["lease_until"], condition=models.Q(state__in=UNFINISHED), name="mailing_unfinished"),
            models.Index(fields=["user", "-created_at"], name="mailing_by_user"),
            models.Index(fields=["workspace", "-created_at"], name="mailing_by_workspace"),
            models.Index(fields=["recipient", "-finished_at"], name="mailing_by_recipient"),
            models.Index(fields=["-created_at", "-id"], name="mailing_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=MailingKind.values), name="mailing_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=UNFINISHED, lease_until__isnull=False, finished_at=None)
                | models.Q(state__in=["sent", "skipped", "failed"], lease_until=None, finished_at__isnull=False),
                name="mailing_is_leased_or_done",
            ),
            models.CheckConstraint(
                condition=models.Q(state="skipped", reason__in=SkipReason.values)
                | models.Q(state="failed", reason__in=FailReason.values)
                | models.Q(state__in=[*UNFINISHED, "sent"], reason=""),
                name="mailing_reason_is_typed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"


class MailingItem(models.Model):
    """A held delivery that a daily digest carries. One digest only: the delivery is the key."""

    delivery = models.OneToOneField(Delivery, primary_key=True, on_delete=models.CASCADE, related_name="digest_item")
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="items")

    def __str__(self) -> str:
        return str(self.delivery_id)
