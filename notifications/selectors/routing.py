"""Loading what routing needs to know of a project at one moment."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from notifications import catalog
from notifications.addresses.selectors import recipient_states
from notifications.channels import registry
from notifications.models import Channel, ChannelRecipient, EventFlag
from notifications.routing import ChannelState, Recipient, Settings
from notifications.selectors.channels import is_paused, over_plan_limit
from projects.entitlements import Category
from projects.models import Project
from projects.selectors import limits_of, owner_of


def flags_of(project: Project) -> dict[str, bool]:
    """The global flags that hold for a project: its own set, or the workspace's."""
    owner = None if project.inherits_workspace_flags else project.pk
    return _flags(project.workspace_id, owner)


def workspace_flags(workspace_id: int) -> dict[str, bool]:
    return _flags(workspace_id, None)


def channels_of(project: Project) -> list[Channel]:
    """A project's channels in their order, with overrides and recipients."""
    return list(
        project.channels.select_related("paused_by").prefetch_related(
            "overrides", Prefetch("recipients", queryset=ChannelRecipient.objects.order_by("position", "pk"))
        )
    )


def routing_settings(project: Project, moment: datetime) -> Settings:
    """Everything that decides for `project` (with its workspace and plan loaded) at `moment`."""
    channels = channels_of(project)
    limits = limits_of(project.workspace.plan)
    over = over_plan_limit(limits, channels)
    recipients = recipients_of(project, channels)
    return Settings(
        flags=flags_of(project),
        filters_in_plan=limits.per_channel_filters,
        channels=tuple(
            channel_state(
                channel,
                in_plan=channel.pk not in over,
                overrides={override.event: override.enabled for override in channel.overrides.all()},
                recipients=recipients.get(channel.pk, ()),
                moment=moment,
            )
            for channel in channels
        ),
    )


def channel_state(
    channel: Channel,
    *,
    in_plan: bool,
    overrides: Mapping[str, bool],
    recipients: tuple[Recipient, ...],
    moment: datetime,
) -> ChannelState:
    """A channel as routing sees it at `moment`."""
    return ChannelState(
        id=str(channel.pk),
        key=channel.key,
        name=channel.name,
        kind=channel.kind,
        category=registry.get(channel.kind).category,
        enabled=channel.enabled,
        paused=is_paused(channel, moment),
        in_plan=in_plan,
        suspended=channel.suspended_at is not None,
        overrides=overrides,
        recipients=recipients,
        holds=channel.mode == Channel.Mode.DAILY_DIGEST,
    )


def recipients_of(project: Project, channels: Iterable[Channel]) -> dict[object, tuple[Recipient, ...]]:
    """Whom each email channel writes to, with the state of each address. Without recipients: the workspace's owner."""
    addresses: dict[object, list[str]] = {}
    for channel in channels:
        if registry.get(channel.kind).category is Category.EMAIL:
            addresses[channel.pk] = [recipient.email for recipient in channel.recipients.all()]
    if not all(addresses.values()):
        owner = owner_of(project.workspace)
        if owner is not None:
            addresses = {pk: emails or [owner.email] for pk, emails in addresses.items()}
    known = {email for emails in addresses.values() for email in emails}
    states = recipient_states(project.workspace_id, project.pk, known) if known else {}
    return {pk: tuple(Recipient(email, states[email]) for email in emails) for pk, emails in addresses.items()}


def _flags(workspace_id: int, project_id: UUID | None) -> dict[str, bool]:
    stored = EventFlag.objects.filter(workspace=workspace_id, project=project_id).values_list("event", "enabled")
    known = dict(stored)
    return {event: known.get(event, default) for event, default in catalog.default_flags().items()}
