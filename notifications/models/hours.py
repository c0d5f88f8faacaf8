"""How many deliveries of each hour were delivered and how many failed, so that no page counts a million of them.

`notifications.services.hours` counts. An hour is that in which the deliveries were made, as the number of full hours
since 1970 (UTC).
"""

from django.db import models

from notifications.models.channels import Channel
from projects.models import Workspace


class DeliveryHour(models.Model):
    """A workspace's hour. There is none where nothing was made."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    hour = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    recount_at = models.DateTimeField(null=True, help_text="when to count again: some are not finished yet")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "hour"], name="delivery_hour_once")]
        indexes = [
            models.Index(fields=["hour"], name="delivery_hour_by_age"),
            models.Index(
                fields=["recount_at"], condition=models.Q(recount_at__isnull=False), name="delivery_hour_to_recount"
            ),
        ]

    def __str__(self) -> str:
        return f"hour {self.hour}: {self.delivered} delivered, {self.failed} failed"


class ChannelHour(models.Model):
    """The share of one channel, while there is that channel."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    hour = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "hour"], name="channel_hour_once")]
        indexes = [models.Index(fields=["hour"], name="channel_hour_by_age")]

    def __str__(self) -> str:
        return f"hour {self.hour}: {self.delivered} delivered, {self.failed} failed"
