"""What operators' pages read: running totals, and which workers are up."""

from django.db import models


class Tally(models.Model):
    """Totals counted from one table, so that nobody counts a million rows to show a number.

    Rows up to `counted` are in `totals` (see `notifications.operations.tallies`); those up to `upto`, noted at
    `upto_at`, come next.
    """

    source = models.CharField(max_length=20, primary_key=True)
    counted = models.CharField(max_length=40, blank=True)
    upto = models.CharField(max_length=40, blank=True)
    upto_at = models.DateTimeField()
    totals = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return self.source


class WorkerSeen(models.Model):
    """When a worker last said that it is there. Rows of those that are gone are deleted after a while."""

    name = models.CharField(max_length=120, primary_key=True, help_text="host and process id")
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "workers seen"

    def __str__(self) -> str:
        return self.name
