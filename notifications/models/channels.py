"""Channels: where messages of a project go."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from aegisnotify.encryption import EncryptedJSONField
from aegisnotify.ids import uuid7
from projects.models import Project


class Channel(models.Model):
    """One channel of a project.

    `kind` names an entry of the registry in `notifications.channels`; it has no list of choices, so that adding a kind
    needs no migration. `config` holds what is secret (URL, signing secrets), encrypted; host and fingerprint of the
    URL stand beside it for pacing and for "two channels post to the same URL".
    """

    class Mode(models.TextChoices):
        IMMEDIATE = "immediate"
        DAILY_DIGEST = "daily_digest"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=20)
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=80)
    enabled = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    config = EncryptedJSONField(default=dict, blank=True)
    target_host = models.CharField(max_length=260, blank=True)
    target_fingerprint = models.CharField(max_length=64, blank=True)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.IMMEDIATE)
    digest_time = models.TimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    # Secret rotation: when the staged secret becomes the only one. Null: none is staged.
    secret_activates_at = models.DateTimeField(null=True, blank=True)

    # Health.
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    # A webhook that only fails: its first failure since a success, and the moment from which that counts as failing.
    first_failure_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    # How far people have been told of it, so that each stage is told once.
    warned_stage = models.CharField(max_length=10, blank=True, default="")

    # Pausing is somebody's choice and ends by itself; suspending is ours and ends by a good test or by hand.
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=500, blank=True)

    # Breaker and pause, shared by all processes: tries counted in a window, and the moment before which to wait.
    breaker_window_at = models.DateTimeField(null=True, blank=True)
    breaker_tries = models.PositiveIntegerField(default=0)
    breaker_failures = models.PositiveIntegerField(default=0)
    breaker_open_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "created_at", "id"]
        indexes = [
            models.Index(fields=["target_fingerprint"], name="channel_by_fingerprint"),
            models.Index(
                fields=["breaker_open_until"],
                condition=models.Q(breaker_open_until__isnull=False),
                name="channel_with_open_breaker",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="channel_key_unique_in_project"),
            models.CheckConstraint(
                condition=models.Q(mode="immediate") | models.Q(digest_time__isnull=False),
                name="channel_digest_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_at__isnull=False) | models.Q(suspended_reason=""),
                name="channel_suspension_has_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"


class ChannelRecipient(models.Model):
    """An address that an email channel writes to. A channel without any writes to the workspace's owner."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="recipients")
    email = models.EmailField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["email"], name="recipient_by_email")]
        constraints = [
            models.UniqueConstraint(fields=["channel", "email"], name="recipient_once"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="recipient_is_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email


class TargetPace(models.Model):
    """The next free moment at a paced target, by the fingerprint of its URL: channels that share it share its pace."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.fingerprint[:8]}: {self.next_at}"
