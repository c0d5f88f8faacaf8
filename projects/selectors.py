"""Reading people, workspaces, plans, projects and usage."""

import contextlib
import uuid
from datetime import datetime

from django.db.models import Case, IntegerField, QuerySet, When

from projects.access import Role
from projects.entitlements import Limits
from projects.models import ApiToken, Invitation, Membership, Plan, Project, UsageCounter, User, Workspace
from projects.usage import Meter, percent, period_of


def limits_of(plan: Plan) -> Limits:
    return Limits(
        plan=plan.code,
        plan_name=plan.name,
        chat_channels=plan.chat_channels,
        chat_channels_per_kind=plan.chat_channels_per_kind,
        webhooks=plan.webhooks,
        per_channel_filters=plan.per_channel_filters,
        projects=plan.projects,
        members=plan.members,
        audit_log=plan.audit_log,
        history_days=plan.history_days,
    )


def find_project(projects: QuerySet[Project], slug_or_id: str) -> Project | None:
    """The project with this slug or id among `projects`. A slug that looks like another project's id wins."""
    project = projects.filter(slug=slug_or_id).first()
    if project is None:
        with contextlib.suppress(ValueError):
            project = projects.filter(pk=uuid.UUID(slug_or_id)).first()
    return project


def owner_of(workspace: Workspace) -> User | None:
    membership = Membership.objects.select_related("user").filter(workspace=workspace, role=Role.OWNER).first()
    return membership.user if membership else None


def memberships_of(user: User) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user).select_related("workspace__plan").order_by("workspace__name", "pk")


def members_of(workspace: Workspace) -> QuerySet[Membership]:
    """The owner first, then in the order of the roles' rights, then by address."""
    rank = Case(*(When(role=role, then=place) for place, role in enumerate(Role)), output_field=IntegerField())
    return workspace.memberships.select_related("user").order_by(rank, "user__email")


def managers_of(workspace: Workspace) -> list[User]:
    """The owner and the admins who can sign in."""
    members = workspace.memberships.select_related("user").filter(
        role__in=[Role.OWNER, Role.ADMIN], user__is_active=True
    )
    return [membership.user for membership in members.order_by("pk")]


def pending_invitations_of(workspace: Workspace) -> QuerySet[Invitation]:
    """Neither accepted nor revoked, expired ones too: those can be sent again."""
    return workspace.invitations.select_related("invited_by").filter(accepted_at=None, revoked_at=None)


def tokens_of(workspace: Workspace) -> QuerySet[ApiToken]:
    return workspace.api_tokens.select_related("project", "created_by").filter(revoked_at=None)


def cap_of(plan: Plan, meter: Meter) -> int | None:
    return plan.runs_per_month if meter is Meter.RUNS else plan.scans_per_month


def usage_of(workspace: Workspace, moment: datetime) -> dict[Meter, dict[str, int | None]]:
    """`{meter: {used, cap, percent}}` of the month of `moment`."""
    counted = dict(
        UsageCounter.objects.filter(workspace=workspace, period=period_of(moment)).values_list("meter", "used")
    )
    usage: dict[Meter, dict[str, int | None]] = {}
    for meter in Meter:
        used, cap = counted.get(meter.value, 0), cap_of(workspace.plan, meter)
        usage[meter] = {"used": used, "cap": cap, "percent": percent(used, cap)}
    return usage
