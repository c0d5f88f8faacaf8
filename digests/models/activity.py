"""When people and projects were last active, and how much happened each day."""

from django.conf import settings
from django.db import models

from projects.models import Project


class PersonActivity(models.Model):
    """When somebody last did something in the pages or the API, and the project they opened last."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="activity")
    seen_at = models.DateTimeField()
    last_project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "person activities"

    def __str__(self) -> str:
        return f"{self.user}: {self.seen_at}"


class NudgeClock(models.Model):
    """How far somebody has been nudged since they were last active.

    `quiet_since` is that activity as it was last looked up, `stage` the days of the last nudge since then (0: none).
    `next_at` is when to look again.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="nudge_clock")
    quiet_since = models.DateTimeField()
    stage = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="nudge_due")]
        constraints = [
            models.CheckConstraint(condition=models.Q(stage__in=[0, 7, 30]), name="nudge_stage_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.stage} days"


class DailyTotal(models.Model):
    """What happened in a project on a day (UTC). Kept longer than any plan's history, so that weeks can be compared.

    `runs` has no cancelled ones.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="daily_totals")
    day = models.DateField()
    runs = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    scans = models.PositiveIntegerField(default=0)
    ai_tests = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(help_text="the day's last run or scan, or its last occurrence where it had neither")

    class Meta:
        ordering = ["-day"]
        indexes = [models.Index(fields=["day"], name="daily_total_by_day")]
        constraints = [models.UniqueConstraint(fields=["project", "day"], name="daily_total_once")]

    def __str__(self) -> str:
        return f"{self.project} {self.day}"
