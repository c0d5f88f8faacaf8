"""Reading what is known of addresses. All addresses given and returned are normalised."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from uuid import UUID

from django.db.models import CharField, QuerySet, Sum, Value

from notifications.models import AddressBounce, AddressConfirmation, OptOut
from notifications.routing import RecipientState
from projects.emails import normalize_email
from projects.models import Membership


def recipient_states(workspace_id: int, project_id: UUID, emails: Iterable[str]) -> dict[str, RecipientState]:
    """The state of each address as a recipient of a project's mail, with one query: intake asks for every event.

    Where several apply, the first of: bounced, unsubscribed, unconfirmed. An address is confirmed when it belongs to a
    member of the workspace who verified it, or when its owner confirmed it for this workspace.
    """
    emails = {normalize_email(email) for email in emails}
    if not emails:
        return {}
    known = _tagged(AddressBounce.objects.filter(email__in=emails), RecipientState.BOUNCED).union(
        _tagged(OptOut.objects.filter(project=project_id, email__in=emails), RecipientState.UNSUBSCRIBED),
        *_confirmed(workspace_id, emails),
        all=True,
    )
    found = {(state, email) for state, email in known}
    return {
        email: _first_of(email, found, unsubscribed=(RecipientState.UNSUBSCRIBED.value, email) in found)
        for email in emails
    }


def recipient_states_by_project(
    workspace_id: int, emails: Mapping[UUID, Collection[str]]
) -> dict[UUID, dict[str, RecipientState]]:
    """Like `recipient_states` for the (normalised) addresses of several projects of one workspace, with two queries."""
    every = {email for addresses in emails.values() for email in addresses}
    if not every:
        return {project_id: {} for project_id in emails}
    known = _tagged(AddressBounce.objects.filter(email__in=every), RecipientState.BOUNCED).union(
        *_confirmed(workspace_id, every), all=True
    )
    found = {(state, email) for state, email in known}
    left = set(OptOut.objects.filter(project__in=list(emails), email__in=every).values_list("project", "email"))
    return {
        project_id: {email: _first_of(email, found, unsubscribed=(project_id, email) in left) for email in addresses}
        for project_id, addresses in emails.items()
    }


def bounced_addresses(emails: Iterable[str]) -> set[str]:
    """Those of the addresses that take no mail from us: they do not exist, or their owner complained."""
    return set(AddressBounce.objects.filter(email__in=set(emails)).values_list("email", flat=True))


def bounces_of(emails: Iterable[str]) -> dict[str, AddressBounce]:
    """What was reported of those of the addresses that take no mail from us."""
    return {bounce.email: bounce for bounce in AddressBounce.objects.filter(email__in=set(emails))}


def confirmed_addresses(workspace_id: int, emails: Iterable[str]) -> set[str]:
    """Those of the addresses that a workspace may write to: verified members' and confirmed ones."""
    members, others = _confirmed(workspace_id, set(emails))
    return {email for _, email in members.union(others, all=True)}


def confirmations_sent(email: str, day: date) -> int:
    """How many confirmation mails an address got on a day (UTC), from all workspaces."""
    total = AddressConfirmation.objects.filter(email=email, sent_on=day).aggregate(total=Sum("sent_count"))["total"]
    return total or 0


def _first_of(email: str, found: Collection[tuple[str, str]], *, unsubscribed: bool) -> RecipientState:
    if (RecipientState.BOUNCED.value, email) in found:
        return RecipientState.BOUNCED
    if unsubscribed:
        return RecipientState.UNSUBSCRIBED
    confirmed = (RecipientState.CONFIRMED.value, email) in found
    return RecipientState.CONFIRMED if confirmed else RecipientState.UNCONFIRMED


def _confirmed(workspace_id: int, emails: set[str]) -> tuple[QuerySet, QuerySet]:
    members = Membership.objects.filter(
        workspace=workspace_id, user__email__in=emails, user__email_verified_at__isnull=False
    )
    others = AddressConfirmation.objects.filter(workspace=workspace_id, email__in=emails, confirmed_at__isnull=False)
    return (
        _tagged(members, RecipientState.CONFIRMED, "user__email"),
        _tagged(others, RecipientState.CONFIRMED),
    )


def _tagged(rows: QuerySet, state: RecipientState, field: str = "email") -> QuerySet:
    return rows.values_list(Value(state.value, output_field=CharField()), field)
