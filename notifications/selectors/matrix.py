"""The filters of a whole workspace at one moment, read with a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aegisnotify.etags import etag
from notifications import catalog, drafts
from notifications.addresses.selectors import recipient_states_by_project
from notifications.channels import registry
from notifications.models import Channel, ChannelRecipient, EventFlag, Override
from notifications.routing import Recipient, Settings
from notifications.selectors.channels import over_plan_limit
from notifications.selectors.health import Checkup, checkups
from notifications.selectors.routing import channel_state
from projects.entitlements import Category, Limits
from projects.models import Project, Workspace
from projects.selectors import limits_of, owner_of

Addresses = dict[object, list[str]]


@dataclass(frozen=True, slots=True)
class MatrixProject:
    """A project with its channels in their order: each channel's row, its state as people read it, as routing does."""

    project: Project
    checkups: tuple[Checkup, ...]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Matrix:
    workspace: Workspace
    limits: Limits
    flags: Mapping[str, bool]
    projects: tuple[MatrixProject, ...]

    @property
    def state(self) -> drafts.State:
        return drafts.State(
            self.flags,
            tuple(
                drafts.ProjectState(str(item.project.pk), item.project.inherits_workspace_flags, item.settings)
                for item in self.projects
            ),
        )

    def project_of(self, channel_id: str) -> Project | None:
        """The project of the channel with this id, None where there is no such channel."""
        return next(
            (
                item.project
                for item in self.projects
                if any(channel.id == channel_id for channel in item.settings.channels)
            ),
            None,
        )

    def versions(self, scopes: Iterable[str]) -> dict[str, str]:
        """The entity tags that the services check, by scope. A scope that is gone has none."""
        by_id = {str(item.project.pk): item for item in self.projects}
        found = {}
        for scope in scopes:
            if scope == drafts.WORKSPACE:
                found[scope] = etag({"events": dict(self.flags)})
            elif scope in by_id:
                found[scope] = etag(_representation(by_id[scope]))
        return found


def load_matrix(workspace: Workspace, moment: datetime) -> Matrix:
    """The matrix of a workspace (with its plan loaded)."""
    limits = limits_of(workspace.plan)
    flags = _flags(workspace)
    projects = list(workspace.projects.all())
    channels: defaultdict[UUID, list[Channel]] = defaultdict(list)
    # Decrypting the configuration of each channel would cost more than all the rest, and nothing here shows it.
    for channel in Channel.objects.filter(project__workspace=workspace).defer("config"):
        channels[channel.project_id].append(channel)
    recipients = _recipients(workspace, channels)
    overrides = _overrides(workspace)
    return Matrix(
        workspace,
        limits,
        flags[None],
        tuple(
            _matrix_project(
                project, channels[project.pk], limits, _flags_of(project, flags), overrides, recipients, moment
            )
            for project in projects
        ),
    )


def _matrix_project(
    project: Project,
    channels: list[Channel],
    limits: Limits,
    flags: Mapping[str, bool],
    overrides: Mapping[UUID, Mapping[str, bool]],
    recipients: Mapping[object, tuple[Recipient, ...]],
    moment: datetime,
) -> MatrixProject:
    over = over_plan_limit(limits, channels)
    states = tuple(
        channel_state(
            channel,
            in_plan=channel.pk not in over,
            overrides=overrides.get(channel.pk, {}),
            recipients=recipients.get(channel.pk, ()),
            moment=moment,
        )
        for channel in channels
    )
    return MatrixProject(
        project,
        tuple(checkups(channels, limits, moment)),
        Settings(flags=flags, filters_in_plan=limits.per_channel_filters, channels=states),
    )


def _flags(workspace: Workspace) -> dict[UUID | None, dict[str, bool]]:
    stored: defaultdict[UUID | None, dict[str, bool]] = defaultdict(dict)
    for project_id, event, enabled in EventFlag.objects.filter(workspace=workspace).values_list(
        "project", "event", "enabled"
    ):
        stored[project_id][event] = enabled
    return {owner: _complete(stored[owner]) for owner in {None, *stored}}


def _flags_of(project: Project, flags: Mapping[UUID | None, dict[str, bool]]) -> dict[str, bool]:
    return flags[None] if project.inherits_workspace_flags else flags.get(project.pk) or _complete({})


def _complete(stored: Mapping[str, bool]) -> dict[str, bool]:
    return {event: stored.get(event, default) for event, default in catalog.default_flags().items()}


def _overrides(workspace: Workspace) -> dict[UUID, dict[str, bool]]:
    found: defaultdict[UUID, dict[str, bool]] = defaultdict(dict)
    rows = Override.objects.filter(channel__project__workspace=workspace)
    for channel_id, event, enabled in rows.values_list("channel", "event", "enabled"):
        found[channel_id][event] = enabled
    return found


def _recipients(
    workspace: Workspace, channels: Mapping[UUID, Iterable[Channel]]
) -> dict[object, tuple[Recipient, ...]]:
    """Whom each email channel writes to, by its id. Without recipients of its own: the workspace's owner."""
    own: defaultdict[UUID, list[str]] = defaultdict(list)
    rows = ChannelRecipient.objects.filter(channel__project__workspace=workspace).order_by("position", "pk")
    for channel_id, email in rows.values_list("channel", "email"):
        own[channel_id].append(email)
    addresses: dict[UUID, Addresses] = {
        project_id: {
            channel.pk: own[channel.pk] for channel in members if registry.get(channel.kind).category is Category.EMAIL
        }
        for project_id, members in channels.items()
    }
    owner = owner_of(workspace)
    fallback = [owner.email] if owner else []
    for by_channel in addresses.values():
        for pk, emails in by_channel.items():
            by_channel[pk] = emails or fallback
    states = recipient_states_by_project(
        workspace.pk,
        {
            project_id: {email for emails in by_channel.values() for email in emails}
            for project_id, by_channel in addresses.items()
        },
    )
    return {
        pk: tuple(Recipient(email, states[project_id][email]) for email in emails)
        for project_id, by_channel in addresses.items()
        for pk, emails in by_channel.items()
    }


def _representation(item: MatrixProject) -> dict[str, Any]:
    """The project's filters in the shape of `selectors.filters.project_filters`, whose version this has to be."""
    return {
        "events": dict(item.settings.flags),
        "inherits_workspace_flags": item.project.inherits_workspace_flags,
        "channel_filters": {
            channel.key: dict(channel.overrides) for channel in item.settings.channels if channel.overrides
        },
    }
