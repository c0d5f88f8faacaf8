"""What we know of email addresses: confirmed for a workspace, opted out of a project's event mail, bounced."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from projects.models import Project, Workspace


class AddressConfirmation(models.Model):
    """An address that is not a verified member's was asked whether it wants mail from a workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="address_confirmations")
    email = models.EmailField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_sent_at = models.DateTimeField(null=True, blank=True)
    sent_on = models.DateField(null=True, blank=True, help_text="the day (UTC) that sent_count counts")
    sent_count = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email"], name="address_confirmation_once"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="confirmation_is_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {'confirmed' if self.confirmed_at else 'waiting'}"


class OptOut(models.Model):
    """An address that wants no event mail of a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="opt_outs")
    email = models.EmailField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "email"], name="opt_out_once"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="opt_out_is_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.email} / {self.project}"


class AddressBounce(models.Model):
    """An address that does not exist (bounced) or whose owner reported us as spam (complained)."""

    class Kind(models.TextChoices):
        BOUNCED = "bounced"
        COMPLAINED = "complained"

    email = models.EmailField(unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="bounce_is_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.kind}"
