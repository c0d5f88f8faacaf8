"""The two layers of filters: global event flags, and overrides per channel.

Events are named by text without a list of choices, so an event added to the catalogue needs no migration; services
refuse names the catalogue does not have.
"""

from django.conf import settings
from django.db import models

from notifications.models.channels import Channel
from projects.models import Project, Workspace


class EventFlag(models.Model):
    """A global flag that was set. Where there is no row, the catalogue's default holds.

    Without a project it is the workspace's flag; with one it belongs to a project that has its own set.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="event_flags")
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.CASCADE, related_name="event_flags")
    event = models.CharField(max_length=40)
    enabled = models.BooleanField()
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "event"], condition=models.Q(project=None), name="workspace_flag_once"
            ),
            models.UniqueConstraint(
                fields=["project", "event"], condition=models.Q(project__isnull=False), name="project_flag_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {'on' if self.enabled else 'off'}"


class Override(models.Model):
    """(channel, event) → on or off. No row means: inherit the global flag."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="overrides")
    event = models.CharField(max_length=40)
    enabled = models.BooleanField()
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "event"], name="override_once")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.event} {'on' if self.enabled else 'off'}"
