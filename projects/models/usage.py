"""How many runs and scans a workspace had in a calendar month (UTC)."""

from django.db import models

from projects.models.workspaces import Workspace
from projects.usage import Meter


class UsageCounter(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage_counters")
    period = models.DateField(help_text="first day of the month")
    meter = models.CharField(max_length=8, choices=[(meter.value, meter.value) for meter in Meter])
    used = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "period", "meter"], name="usage_counter_once"),
            models.CheckConstraint(condition=models.Q(period__day=1), name="usage_period_is_a_month"),
            models.CheckConstraint(
                condition=models.Q(meter__in=[meter.value for meter in Meter]), name="usage_meter_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workspace} {self.period:%Y-%m} {self.meter}: {self.used}"
