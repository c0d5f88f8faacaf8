"""When the daily digest of an email channel goes out."""

from django.db import models

from notifications.models import Channel


class ChannelClock(models.Model):
    """The clock of a channel in daily digest mode. It stays for a while after the mode ended, for what is still held.

    `at` and `time_zone` are those that `next_at` was computed from: where the channel or the workspace has others now,
    it is computed anew. `last_slot` is the local date of the last slot that was used.
    """

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="digest_clock")
    at = models.TimeField()
    time_zone = models.CharField(max_length=64)
    next_at = models.DateTimeField()
    covered_until = models.DateTimeField()
    last_slot = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="channel_digest_due")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.next_at}"
