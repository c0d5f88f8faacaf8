"""Who belongs to a workspace, in which role, until when."""

from django.db import transaction

from aegisnotify.mail import send_mail_soon
from projects import hooks, mails
from projects.access import Role
from projects.actors import Actor
from projects.errors import Conflict, Forbidden, Invalid
from projects.models import Membership, User, Workspace
from projects.models.invitations import OFFERED_ROLES
from projects.selectors import managers_of
from projects.services import audit

OWNER_STAYS = "The owner stays: ownership can be handed over in the workspace's settings."


@transaction.atomic
def change_role(actor: Actor, membership: Membership, role: str) -> Membership:
    """Raises `Invalid` for a role that can't be given, `Conflict` for the owner: ownership is handed over."""
    if role not in OFFERED_ROLES:
        raise Invalid({"role": [f"Choose one of {', '.join(OFFERED_ROLES)}."]})
    membership = _locked(membership)
    if membership.role == Role.OWNER:
        raise Conflict(OWNER_STAYS)
    if membership.role != role:
        audit.record(
            actor,
            "member.role_changed",
            membership,
            workspace=membership.workspace,
            label=membership.user.email,
            changes={"role": (membership.role, str(role))},
        )
        membership.role = role
        membership.save(update_fields=["role"])
    return membership


def remove_member(actor: Actor, membership: Membership) -> tuple[str, ...]:
    """Take somebody's place away; the channels that had their address as a recipient. Raises `Conflict` for the owner.

    What they made stays: channels, settings, API tokens.
    """
    email = membership.user.email
    by = actor.user.email if actor.user else actor.label
    return _end(actor, membership, "member.removed", f"{email} was removed by {by}.")


def leave(actor: Actor, membership: Membership) -> tuple[str, ...]:
    """One's own place. Raises `Conflict` for the owner."""
    return _end(actor, membership, "member.left", f"{membership.user.email} left the workspace.")


@transaction.atomic
def hand_over(actor: Actor, workspace: Workspace, heir: Membership) -> None:
    """Make another member the owner; the owner becomes an admin.

    Raises `Forbidden` unless the owner does it, `Conflict` when the heir can't be one.
    """
    workspace = Workspace.objects.select_for_update().get(pk=workspace.pk)
    owner = Membership.objects.select_related("user").filter(workspace=workspace, role=Role.OWNER).first()
    if owner is None or actor.user is None or owner.user_id != actor.user.pk:
        raise Forbidden("Only the owner of this workspace can hand it over.")
    heir = _locked(heir)
    if heir.workspace_id != workspace.pk or heir.pk == owner.pk:
        raise Conflict("Choose another member of this workspace.")
    if heir.user.email_verified_at is None or not heir.user.is_active:
        raise Conflict(f"{heir.user.email} has not confirmed the address yet, so nobody knows whose it is.")
    was = heir.role
    # In this order: the database lets a workspace have one owner at any moment.
    owner.role, heir.role = Role.ADMIN, Role.OWNER
    owner.save(update_fields=["role"])
    heir.save(update_fields=["role"])
    audit.record(
        actor,
        "workspace.handed_over",
        workspace,
        workspace=workspace,
        changes={"owner": (owner.user.email, heir.user.email), "role_before": (was, Role.OWNER.value)},
    )


def release_address(
    actor: Actor, workspace: Workspace, email: str, what: str, *, besides: User, only_recipients: bool = False
) -> tuple[str, ...]:
    """An address is a member's no more: it counts as unconfirmed wherever it is a recipient, and admins are told.

    Returns the places that have it as a recipient. `besides` and whoever does it know already and get no mail;
    `only_recipients`: without such places nobody else does either. Call it in the change's transaction.
    """
    places = hooks.address_left(actor, workspace, email)
    if places or not only_recipients:
        knows = {besides.pk, actor.user.pk if actor.user else None}
        told = [user for user in managers_of(workspace) if user.pk not in knows and user.email_verified_at is not None]
        silent = hooks.unreachable_addresses(user.email for user in told)
        for user in told:
            if user.email not in silent:
                _tell(user, workspace, what, email, places)
    return places


def _tell(user: User, workspace: Workspace, what: str, email: str, places: tuple[str, ...]) -> None:
    send_mail_soon(lambda: mails.member_left(user, workspace, what, email, places))


@transaction.atomic
def _end(actor: Actor, membership: Membership, action: str, what: str) -> tuple[str, ...]:
    membership = _locked(membership)
    if membership.role == Role.OWNER:
        raise Conflict(OWNER_STAYS)
    workspace, user = membership.workspace, membership.user
    audit.record(
        actor,
        action,
        membership,
        workspace=workspace,
        label=user.email,
        changes={"role": (membership.role, None)},
    )
    membership.delete()
    return release_address(actor, workspace, user.email, what, besides=user)


def _locked(membership: Membership) -> Membership:
    """Raises `Conflict` when somebody else took the place away meanwhile."""
    found = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "workspace")
        .filter(pk=membership.pk)
        .first()
    )
    if found is None:
        raise Conflict("This person does not belong to the workspace any more.")
    return found
