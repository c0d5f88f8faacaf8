"""Asking people to join a workspace, by a link that is mailed to their address.

The link is shown to nobody else: whoever follows it has shown that the address is theirs.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet

from aegisnotify.clock import now
from aegisnotify.mail import send_mail_soon
from projects import entitlements, mails
from projects.actors import Actor
from projects.emails import normalize_email
from projects.errors import Conflict, Forbidden, Invalid, NotFound, PlanLimit, TooMany
from projects.models import Invitation, Membership, User, Workspace
from projects.models.invitations import OFFERED_ROLES
from projects.selectors import limits_of
from projects.services import audit
from projects.services.accounts import mark_verified

VALID_FOR = timedelta(days=7)
LEAST_GAP = timedelta(minutes=1)
MAILS_PER_INVITATION = 5
# An address belongs to somebody who did not ask for anything.
PER_ADDRESS_AND_DAY = 5
PER_WORKSPACE_AND_DAY = 100

GONE = "This invitation was used or withdrawn, or it has expired. Ask for another one."


@transaction.atomic
def invite(actor: Actor, workspace: Workspace, *, email: str, role: str) -> Invitation:
    """Mail a link that lets the address join once, within 7 days.

    Open invitations use a place, so that nobody is asked in vain. Raises `Invalid` for bad values, `Conflict` for
    members and those already asked, `PlanLimit` without a place, `Forbidden` while the inviter's own address is not
    verified, `TooMany` for too many invitations in a day.
    """
    email = normalize_email(email)
    _check(email, role)
    workspace = _locked_workspace(workspace)
    moment = now()
    if Membership.objects.filter(workspace=workspace, user__email=email).exists():
        raise Conflict(f"{email} is a member already.", {"field": "email"})
    earlier = workspace.invitations.select_for_update().filter(email=email, accepted_at=None, revoked_at=None).first()
    if earlier is not None and earlier.expires_at > moment:
        raise Conflict(f"{email} has an open invitation. Send it again below.", {"field": "email"})
    used = workspace.memberships.count() + open_invitations(workspace, moment).count()
    exceeded = entitlements.room_for_member(limits_of(workspace.plan), used)
    if exceeded:
        raise PlanLimit(exceeded)
    # After the plan: confirming an address does not help where there is no place.
    if actor.user is not None and actor.user.email_verified_at is None:
        raise Forbidden("Confirm your own address first: invitations name you.")
    _check_rates(workspace, email, moment)
    if earlier is not None:
        # Expired: it makes room for the new one.
        earlier.revoked_at = moment
        earlier.save(update_fields=["revoked_at"])
    token, digest = _new_token()
    invitation = Invitation.objects.create(
        workspace=workspace,
        email=email,
        role=role,
        digest=digest,
        invited_by=actor.user,
        created_at=moment,
        expires_at=moment + VALID_FOR,
        sent_at=moment,
    )
    audit.record(
        actor,
        "invitation.sent",
        invitation,
        workspace=workspace,
        label=email,
        changes={"role": (None, str(role)), "expires_at": (None, invitation.expires_at.isoformat())},
    )
    _send(actor, invitation, token)
    return invitation


@transaction.atomic
def send_again(actor: Actor, invitation: Invitation) -> Invitation:
    """A new link for 7 days; the old one opens nothing any more. Raises `Conflict` and `TooMany`, and what `invite`
    does for want of a place when it had expired."""
    workspace = _locked_workspace(invitation.workspace)
    invitation = _locked(invitation)
    moment = now()
    if invitation.accepted_at or invitation.revoked_at:
        raise Conflict("This invitation was used or withdrawn.")
    if moment - invitation.sent_at < LEAST_GAP:
        raise TooMany("It was sent less than a minute ago.", retry_after=60)
    if invitation.sent_count >= MAILS_PER_INVITATION:
        raise TooMany("This invitation was sent often enough. Withdraw it and invite the person anew.")
    if invitation.expires_at <= moment:
        used = workspace.memberships.count() + open_invitations(workspace, moment).count()
        exceeded = entitlements.room_for_member(limits_of(workspace.plan), used)
        if exceeded:
            raise PlanLimit(exceeded)
    token, invitation.digest = _new_token()
    before = invitation.expires_at
    invitation.expires_at, invitation.sent_at = moment + VALID_FOR, moment
    invitation.sent_count += 1
    invitation.save(update_fields=["digest", "expires_at", "sent_at", "sent_count"])
    audit.record(
        actor,
        "invitation.sent_again",
        invitation,
        workspace=workspace,
        label=invitation.email,
        changes={"expires_at": (before.isoformat(), invitation.expires_at.isoformat())},
    )
    _send(actor, invitation, token)
    return invitation


@transaction.atomic
def revoke(actor: Actor, invitation: Invitation) -> None:
    """The link opens nothing any more. Revoking again changes nothing. Raises `Conflict` for one that was used."""
    invitation = _locked(invitation)
    if invitation.accepted_at is not None:
        raise Conflict(f"{invitation.email} has joined meanwhile.")
    if invitation.revoked_at is None:
        invitation.revoked_at = now()
        invitation.save(update_fields=["revoked_at"])
        audit.record(
            actor,
            "invitation.revoked",
            invitation,
            workspace=invitation.workspace,
            label=invitation.email,
            changes={"role": (invitation.role, None)},
        )


def find(token: str) -> Invitation | None:
    """The invitation that this link opens, if it still does."""
    return (
        Invitation.objects.select_related("workspace__plan", "invited_by")
        .filter(digest=_digest(token), accepted_at=None, revoked_at=None, expires_at__gt=now())
        .first()
    )


def joined(token: str, user: User) -> Membership | None:
    """The membership that this person has by this link already, for whoever follows it or sends its form once more."""
    used = Invitation.objects.filter(digest=_digest(token), email=user.email).exclude(accepted_at=None).first()
    if used is None:
        return None
    return Membership.objects.select_related("workspace").filter(workspace=used.workspace_id, user=user).first()


@transaction.atomic
def accept(actor: Actor, token: str, user: User) -> Membership:
    """Join, once. The link came by mail, so the address counts as verified from now on.

    Raises `NotFound` for a link that opens nothing (any more), `Forbidden` for another address's, `PlanLimit` when the
    workspace has no place by now.
    """
    invitation = find(token)
    if invitation is None:
        raise NotFound(GONE)
    # The workspace first, as everywhere: two people at the last place take turns.
    workspace = _locked_workspace(invitation.workspace)
    invitation = _locked(invitation)
    if invitation.accepted_at or invitation.revoked_at or invitation.digest != _digest(token):
        raise NotFound(GONE)
    if user.email != invitation.email:
        raise Forbidden(f"This invitation is for {invitation.email}. Sign in with that address.")
    moment = now()
    membership = Membership.objects.filter(workspace=workspace, user=user).first()
    if membership is None:
        exceeded = entitlements.room_for_member(limits_of(workspace.plan), workspace.memberships.count())
        if exceeded:
            raise PlanLimit(exceeded)
        membership = Membership.objects.create(workspace=workspace, user=user, role=invitation.role)
        audit.record(
            actor,
            "member.joined",
            membership,
            workspace=workspace,
            label=user.email,
            changes={"role": (None, invitation.role)},
        )
    invitation.accepted_at = moment
    invitation.save(update_fields=["accepted_at"])
    mark_verified(actor, User.objects.select_for_update().get(pk=user.pk))
    return membership


def open_invitations(workspace: Workspace, moment: datetime) -> QuerySet[Invitation]:
    return workspace.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=moment)


def _check(email: str, role: str) -> None:
    errors: dict[str, list[str]] = {}
    try:
        validate_email(email)
        if len(email) > 254:
            errors["email"] = ["At most 254 characters."]
    except ValidationError as error:
        errors["email"] = list(error.messages)
    if role not in OFFERED_ROLES:
        errors["role"] = [f"Choose one of {', '.join(OFFERED_ROLES)}."]
    if errors:
        raise Invalid(errors)


def _check_rates(workspace: Workspace, email: str, moment: datetime) -> None:
    day = Q(created_at__gt=moment - timedelta(days=1))
    if Invitation.objects.filter(day, email=email).count() >= PER_ADDRESS_AND_DAY:
        raise TooMany(f"{email} got enough invitations today. Try again tomorrow.")
    if workspace.invitations.filter(day).count() >= PER_WORKSPACE_AND_DAY:
        raise TooMany(f"At most {PER_WORKSPACE_AND_DAY} invitations a day. Try again tomorrow.")


def _send(actor: Actor, invitation: Invitation, token: str) -> None:
    inviter = (actor.user.name or actor.user.email) if actor.user else actor.label
    send_mail_soon(lambda: mails.invitation(invitation, inviter, token))


def _new_token() -> tuple[str, str]:
    token = secrets.token_urlsafe(32)
    return token, _digest(token)


def _digest(token: str) -> str:
    """SHA-256 in hex: the token has 256 random bits, so a slow hash would protect nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _locked_workspace(workspace: Workspace) -> Workspace:
    return Workspace.objects.select_for_update(of=("self",)).select_related("plan").get(pk=workspace.pk)


def _locked(invitation: Invitation) -> Invitation:
    return Invitation.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=invitation.pk)
