"""Somebody was asked to join a workspace; only the hash of the link's token is stored."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from projects.access import Role
from projects.models.workspaces import Workspace

OFFERED_ROLES = (Role.ADMIN, Role.MEMBER, Role.VIEWER)


class Invitation(models.Model):
    """Open until it is accepted or revoked, or has expired. One open invitation per workspace and address."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(db_index=True)
    role = models.CharField(max_length=10, choices=[(role.value, role.label) for role in OFFERED_ROLES])
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the link's token")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="when the last mail went out")
    sent_count = models.PositiveSmallIntegerField(default=1)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in OFFERED_ROLES]), name="invitation_role_is_offered"
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="invitation_email_is_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace}"
