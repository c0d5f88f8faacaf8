"""What people and workspaces chose: who wants the weekly digest and when, who wants no nudges and no warnings.

Where there is no row, the default holds: no weekly digest, nudges and usage warnings on.
"""

from datetime import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from projects.models import Workspace
from projects.models.users import validate_time_zone

MONDAY = 0


class WeeklySubscription(models.Model):
    """A person's weekly digest of one workspace, and its clock.

    `next_at` is the moment of the next one and null when it is off. `covered_until` is the end of the last window.
    `last_slot` is the local date of the last slot that was used: no other slot of that calendar week is, whatever zone
    or weekday is chosen meanwhile.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="weekly_subscriptions")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="weekly_subscriptions")
    enabled = models.BooleanField(default=False)
    weekday = models.PositiveSmallIntegerField(default=MONDAY, help_text="0 is Monday")
    at = models.TimeField(default=time(8), help_text="local time")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    next_at = models.DateTimeField(null=True, blank=True)
    covered_until = models.DateTimeField(null=True, blank=True)
    last_slot = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["workspace", "user"]
        indexes = [
            models.Index(fields=["next_at", "workspace"], condition=models.Q(next_at__isnull=False), name="weekly_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace"], name="weekly_once"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="weekly_day_is_a_weekday"),
            models.CheckConstraint(
                condition=models.Q(enabled=True, next_at__isnull=False) | models.Q(enabled=False, next_at=None),
                name="weekly_has_a_moment_while_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} / {self.workspace}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class NudgeOptOut(models.Model):
    """Somebody who wants no nudges."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="nudge_opt_out")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.user)


class UsageOptOut(models.Model):
    """An owner or admin who wants no usage warnings of a workspace."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="usage_opt_outs")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage_opt_outs")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="usage_opt_out_once")]

    def __str__(self) -> str:
        return f"{self.user} / {self.workspace}"


class WorkspaceOptOut(models.Model):
    """A workspace that nudges nobody and is in nobody's weekly digest, whatever each person chose."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="mail_opt_out")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.workspace)
