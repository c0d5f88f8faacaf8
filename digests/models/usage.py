"""Thresholds of usage that a workspace has reached."""

from django.db import models

from projects.models import Workspace
from projects.usage import THRESHOLDS, Meter


class UsageThreshold(models.Model):
    """A meter reached a threshold of its cap. Once for each month and cap, so another plan's cap warns anew.

    `by_plan`: the usage did not grow to it, the plan's cap came down. `told_at`: its mailings have been made.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage_thresholds")
    meter = models.CharField(max_length=8, choices=[(meter.value, meter.value) for meter in Meter])
    period = models.DateField(help_text="first day of the month")
    threshold = models.PositiveSmallIntegerField()
    cap = models.PositiveBigIntegerField()
    by_plan = models.BooleanField(default=False)
    reached_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-reached_at"]
        indexes = [
            models.Index(fields=["reached_at"], condition=models.Q(told_at=None), name="usage_threshold_untold"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "meter", "period", "threshold", "cap"], name="usage_threshold_once"
            ),
            models.CheckConstraint(condition=models.Q(threshold__in=THRESHOLDS), name="usage_threshold_is_known"),
            models.CheckConstraint(condition=models.Q(cap__gt=0), name="usage_threshold_has_a_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.workspace}: {self.threshold} % of {self.cap} {self.meter}"
