"""Who changed which setting, old → new, from where."""

from django.conf import settings
from django.db import models

from projects.models.workspaces import Workspace


class AuditEntry(models.Model):
    """One change. Written by services in the transaction of the change itself, never changed afterwards."""

    workspace = models.ForeignKey(
        Workspace, null=True, blank=True, on_delete=models.CASCADE, related_name="audit_entries"
    )
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=200, help_text="the actor's name at that time")
    source = models.CharField(max_length=16, help_text="page, api, admin, link, command or system")
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=60, help_text="what was done, such as channel.updated")
    project_id = models.UUIDField(null=True, blank=True)
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    target_label = models.CharField(max_length=300)
    changes = models.JSONField(default=dict, help_text="{field: [old, new]}, secrets masked")

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "-at", "-id"], name="audit_by_workspace"),
            models.Index(fields=["target_type", "target_id", "-at"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label}"
