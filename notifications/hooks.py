"""What notifications adds to what lower rooms and the worker do."""

from collections.abc import Iterable
from typing import Any

from anymail.signals import AnymailTrackingEvent, tracking
from django.dispatch import receiver

from notifications.addresses.reports import Report
from notifications.addresses.selectors import bounced_addresses
from notifications.addresses.services import forget_confirmation, take_report
from notifications.delivery.periodic import every
from notifications.delivery.released import release_what_is_left
from notifications.models import ChannelRecipient
from notifications.operations.tallies import COUNT_EVERY, count_what_is_new
from notifications.operations.workers import SAY_EVERY, say_worker_is_there
from notifications.selectors.plan_change import effects_on_channels
from notifications.services.channels import create_channel
from notifications.services.closing import delete_closed_workspaces, stop_channels
from notifications.services.hours import COUNT_EVERY as COUNT_HOURS_EVERY
from notifications.services.hours import count_hours
from notifications.services.recovery import work_on_recoveries
from notifications.services.retention import sweep_histories
from notifications.services.warnings import send_channel_warnings
from projects.actors import Actor
from projects.emails import normalize_email
from projects.hooks import on_address_left, on_workspace_closing, plan_effects, unreachable
from projects.models import Project, Workspace
from projects.services.audit_retention import delete_old_entries
from projects.services.projects import on_project_created


@on_project_created
def add_first_email_channel(actor: Actor, project: Project) -> None:
    """Every new project tells its workspace's owner by email: it works before anybody configured anything."""
    create_channel(actor, project, kind="email", name="Email")


@on_address_left
def unconfirm_address(actor: Actor, workspace: Workspace, email: str) -> Iterable[str]:
    """What a member agreed to says nothing about whoever has the address from now on."""
    forget_confirmation(actor, workspace, email)
    places = ChannelRecipient.objects.filter(channel__project__workspace=workspace, email=normalize_email(email))
    named = places.order_by("channel__project__name", "channel__name").values_list(
        "channel__project__name", "channel__name"
    )
    return [f"{channel} ({project})" for project, channel in named]


@receiver(tracking)
def note_mail_report(event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """What the mail provider reports about an address, from its webhook."""
    said = event.mta_response or event.description or ""
    take_report(Report(esp_name, event.event_type, event.recipient or "", event.reject_reason, said, event.esp_event))


unreachable(bounced_addresses)
every(60)(send_channel_warnings)
# A job is woken when it is asked for; this is for the one whose process died.
every(5)(work_on_recoveries)
every(2)(release_what_is_left)
every(SAY_EVERY)(say_worker_is_there)
every(COUNT_EVERY)(count_what_is_new)
every(60)(sweep_histories)
every(COUNT_HOURS_EVERY)(count_hours)
every(10)(delete_closed_workspaces)
every(6 * 60 * 60)(delete_old_entries)
on_workspace_closing(stop_channels)
plan_effects(effects_on_channels)
