"""Filters that somebody changed on the page and has not saved yet."""

from django.conf import settings
from django.db import models

from projects.models import Workspace


class FilterDraft(models.Model):
    """One person's draft in one workspace, kept until it is saved or discarded.

    `changes` and the values in `base` are flat, as `notifications.drafts` describes. `base` holds, for each scope that
    the draft touches, its version and its values at that time: so that saving notices what others changed meanwhile,
    and can show it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="filter_drafts")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="filter_drafts")
    changes = models.JSONField(default=dict)
    base = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="filter_draft_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {len(self.changes)} changes"
