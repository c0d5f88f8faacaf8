"""Tables of the who: one module per concern."""

from projects.models.audit import AuditEntry
from projects.models.invitations import Invitation
from projects.models.plans import Plan
from projects.models.projects import Project
from projects.models.tokens import ApiToken
from projects.models.usage import UsageCounter
from projects.models.users import User
from projects.models.workspaces import Membership, Workspace

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Plan",
    "Project",
    "UsageCounter",
    "User",
    "Workspace",
]
