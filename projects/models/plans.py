"""Plans are rows, so staff can edit them; a data migration seeds the five we sell."""

from django.db import models


class Plan(models.Model):
    """What a workspace may have. `None` in a limit means unlimited."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    chat_channels = models.PositiveIntegerField(
        null=True, blank=True, help_text="Slack, Discord and Teams, per project"
    )
    chat_channels_per_kind = models.PositiveIntegerField(null=True, blank=True, help_text="of one kind, per project")
    webhooks = models.PositiveIntegerField(null=True, blank=True, help_text="per project")
    per_channel_filters = models.BooleanField(default=False)
    runs_per_month = models.PositiveIntegerField(null=True, blank=True)
    scans_per_month = models.PositiveIntegerField(null=True, blank=True)
    projects = models.PositiveIntegerField(null=True, blank=True)
    members = models.PositiveIntegerField(null=True, blank=True)
    history_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="how long events and deliveries are kept"
    )
    audit_log = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name
