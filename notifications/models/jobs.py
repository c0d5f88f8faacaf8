"""Long work that people watch: recovering what a channel missed."""

from django.conf import settings
from django.db import models

from aegisnotify.ids import uuid7
from notifications.models.channels import Channel
from projects.models import Workspace


class RecoveryJob(models.Model):
    """Sends what a channel missed since a moment. Worked on in small steps, each leaving its place in the cursors.

    `lease_until` is when a step that its process did not finish may be taken over. `look_again_at` is when a job that
    is done looks once more for what was being stored while it was asked for.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="recovery_jobs")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="recovery_jobs")
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="what happened after the job was asked for is none of its business")
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    delivery_cursor = models.UUIDField(null=True, blank=True)
    occurrence_cursor = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    look_again_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel"], condition=models.Q(status__in=["queued", "running"]), name="recovery_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["queued", "running", "done", "failed"]), name="recovery_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"recover {self.channel} since {self.since}"
