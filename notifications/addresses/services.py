"""Confirming addresses, opting out of mail, remembering bounces."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from aegisnotify.clock import now
from aegisnotify.mail import DjangoMailClient
from aegisnotify.text import clean_text, shorten
from notifications.addresses import mails
from notifications.addresses.reports import Report, judge
from notifications.addresses.selectors import bounced_addresses, confirmations_sent, confirmed_addresses
from notifications.channels.email.config import is_address
from notifications.models import AddressBounce, AddressConfirmation, OptOut
from projects.actors import Actor
from projects.emails import normalize_email
from projects.errors import NotFound
from projects.models import Project, Workspace
from projects.services import audit

logger = logging.getLogger(__name__)

# An address belongs to somebody who did not ask for anything yet.
MAILS_PER_DAY = 3
MAILS_PER_DAY_FROM_ALL = 10
LEAST_GAP = timedelta(minutes=1)


@transaction.atomic
def request_confirmations(actor: Actor, workspace: Workspace, emails: Iterable[str]) -> tuple[str, ...]:
    """Ask addresses that are not confirmed in the workspace whether they want its mail.

    Returns those that are asked now, with one mail each after the commit. Left out without an error: addresses that
    need no confirmation, those where mail bounced, those asked within the last minute or often enough today (UTC).
    """
    wanted = {normalize_email(email) for email in emails}
    wanted -= confirmed_addresses(workspace.pk, wanted) | bounced_addresses(wanted)
    if not wanted:
        return ()
    AddressConfirmation.objects.bulk_create(
        [AddressConfirmation(workspace=workspace, email=email) for email in sorted(wanted)], ignore_conflicts=True
    )
    # The rows of all workspaces are locked, in one order: two requests at once can't both send the day's last mail.
    rows = AddressConfirmation.objects.select_for_update().filter(email__in=wanted).order_by("email", "pk")
    asked = tuple(row.email for row in rows if row.workspace_id == workspace.pk and _ask(actor, workspace, row))
    if asked:
        transaction.on_commit(lambda: _send_confirmations(workspace, asked), robust=True)
    return asked


def _ask(actor: Actor, workspace: Workspace, row: AddressConfirmation) -> bool:
    """Count a mail to the address, if one more is allowed."""
    moment = now()
    today = moment.date()
    sent_today = row.sent_count if row.sent_on == today else 0
    if row.last_sent_at is not None and moment - row.last_sent_at < LEAST_GAP:
        return False
    if sent_today >= MAILS_PER_DAY or confirmations_sent(row.email, today) >= MAILS_PER_DAY_FROM_ALL:
        return False
    row.requested_by = actor.user
    row.last_sent_at, row.sent_on, row.sent_count = moment, today, sent_today + 1
    row.save(update_fields=["requested_by", "last_sent_at", "sent_on", "sent_count"])
    audit.record(actor, "address.confirmation_requested", row, workspace=workspace, label=row.email)
    return True


def _send_confirmations(workspace: Workspace, emails: Iterable[str]) -> None:
    """Whoever asked can ask again in a minute, so a mail that fails is only logged."""
    client = DjangoMailClient()
    try:
        for email in emails:
            try:
                client.send(mails.confirmation(workspace, email))
            except SMTPRecipientsRefused as refusal:
                logger.warning("A confirmation mail was refused: %s", [code for code, _ in refusal.recipients.values()])
    except Exception:
        # Not about one address: the others would only wait for the same timeout.
        logger.exception("Confirmation mail could not be sent.")
    finally:
        client.close()


@transaction.atomic
def confirm_address(actor: Actor, workspace_id: int, email: str) -> bool:
    """The address's owner agrees. Whether that was new. Raises `NotFound` when nobody asks for the address any more."""
    row = (
        AddressConfirmation.objects.select_for_update(of=("self",))
        .select_related("workspace")
        .filter(workspace=workspace_id, email=normalize_email(email))
        .first()
    )
    if row is None:
        raise NotFound("This workspace no longer asks for this address.")
    if row.confirmed_at is not None:
        return False
    row.confirmed_at = now()
    row.save(update_fields=["confirmed_at"])
    audit.record(
        actor, "address.confirmed", row, workspace=row.workspace, label=row.email, changes={"confirmed": (False, True)}
    )
    return True


@transaction.atomic
def forget_confirmation(actor: Actor, workspace: Workspace, email: str) -> bool:
    """The address counts as never confirmed in the workspace. Whether there was something to forget.

    For a member who leaves the workspace or changes the address: what was agreed to as a member says nothing about
    whoever has the address from now on. Links that were sent before no longer confirm it.
    """
    row = AddressConfirmation.objects.filter(workspace=workspace, email=normalize_email(email)).first()
    if row is None:
        return False
    audit.record(
        actor,
        "address.confirmation_forgotten",
        row,
        workspace=workspace,
        label=row.email,
        changes={"confirmed": (row.confirmed_at is not None, False)},
    )
    row.delete()
    return True


@transaction.atomic
def opt_out(actor: Actor, project_id: UUID | str, email: str) -> bool:
    """No more event mail of the project to the address. Whether that was new. Raises `NotFound` without the project."""
    project, email = _project(project_id), normalize_email(email)
    _, created = OptOut.objects.get_or_create(project=project, email=email, defaults={"created_at": now()})
    if created:
        _audit_opt_out(actor, project, email, "address.opted_out", opted_out=True)
    return created


@transaction.atomic
def opt_in(actor: Actor, project_id: UUID | str, email: str) -> bool:
    """Undo `opt_out`. Whether there was something to undo. Raises `NotFound` without the project."""
    project, email = _project(project_id), normalize_email(email)
    deleted, _ = OptOut.objects.filter(project=project, email=email).delete()
    if deleted:
        _audit_opt_out(actor, project, email, "address.opted_in", opted_out=False)
    return bool(deleted)


@transaction.atomic
def mark_bounced(email: str, kind: AddressBounce.Kind, detail: str = "") -> bool:
    """Remember that an address takes no mail, or that its owner complained. Whether that was new.

    The first report stays; only a complaint replaces a bounce, since it weighs more. It is no change of a setting, so
    it is not audited: the row says when and why.
    """
    fields = {"kind": kind, "detail": shorten(clean_text(detail), 500), "at": now()}
    email = normalize_email(email)
    _, created = AddressBounce.objects.get_or_create(email=email, defaults=fields)
    if created or kind is not AddressBounce.Kind.COMPLAINED:
        return created
    return bool(AddressBounce.objects.filter(email=email).exclude(kind=kind).update(**fields))


@transaction.atomic
def take_report(report: Report) -> bool:
    """What the mail provider says about an address, in any order and more than once. Whether that was new.

    Addresses that nobody here uses are remembered too: a complaint still holds when the address is named again.
    """
    finding = judge(report)
    email = normalize_email(report.recipient)
    if finding is None or not is_address(email):
        return False
    return mark_bounced(email, AddressBounce.Kind(finding.kind), finding.detail)


@transaction.atomic
def lift_bounce(actor: Actor, bounce: AddressBounce) -> None:
    """Write to the address again, as if nothing had been reported."""
    changes = {"kind": (bounce.kind, None), "detail": (bounce.detail, None)}
    audit.record(actor, "address.bounce_lifted", bounce, workspace=None, label=bounce.email, changes=changes)
    bounce.delete()


def _audit_opt_out(actor: Actor, project: Project, email: str, action: str, *, opted_out: bool) -> None:
    audit.record(
        actor,
        action,
        project,
        workspace=project.workspace,
        project=project,
        label=email,
        changes={"event_mail": (opted_out, not opted_out)},
    )


def _project(project_id: UUID | str) -> Project:
    try:
        return Project.objects.select_related("workspace").get(pk=project_id)
    except (Project.DoesNotExist, ValidationError) as error:
        raise NotFound("This project no longer exists.") from error
