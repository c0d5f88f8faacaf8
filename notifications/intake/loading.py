"""What decides for a project, read for intake: two statements where `selectors.routing` has eight queries.

It is read anew for every event and nothing of it is kept, so the event after a change is decided by the change. Other
databases than PostgreSQL and SQLite take the slower way; both come to the same `Settings`.
"""

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from notifications import catalog
from notifications.channels import registry
from notifications.models import (
    AddressBounce,
    AddressConfirmation,
    Channel,
    ChannelRecipient,
    EventFlag,
    OptOut,
    Override,
)
from notifications.routing import ChannelState, Decision, Recipient, RecipientState, Settings, decide
from notifications.selectors.routing import routing_settings
from projects.access import Role
from projects.entitlements import Category, Place, admitted
from projects.models import Membership, Plan, Project, User, Workspace
from projects.selectors import find_project, limits_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project and everything that decides for it at one moment."""

    project: Project
    settings: Settings
    _decided: dict[tuple[str, ...], tuple[Decision, ...]] = field(default_factory=dict)

    def decide(self, fired: tuple[str, ...]) -> tuple[Decision, ...]:
        """The decisions for these fired events. The events of a batch that fire the same are decided once."""
        if fired not in self._decided:
            self._decided[fired] = decide(fired, self.settings)
        return self._decided[fired]


def load(workspace: Workspace, slug_or_id: str, moment: datetime, *, only: UUID | None = None) -> Loaded | None:
    """The workspace's project of this slug or id. `only`: the id of the one project that exists for the caller."""
    if connection.vendor in _JSON:
        return _load(workspace, slug_or_id, moment, only)
    projects = Project.objects.filter(workspace=workspace).select_related("workspace__plan")
    project = find_project(projects if only is None else projects.filter(pk=only), slug_or_id)
    return None if project is None else Loaded(project, routing_settings(project, moment))


# How a database calls the aggregate that makes an array of values, and the function that makes one of its arguments.
_JSON = {"postgresql": ("json_agg", "json_build_array"), "sqlite": ("json_group_array", "json_array")}
_PROJECT = tuple(field.column for field in Project._meta.concrete_fields)
_PLAN = tuple(field.column for field in Plan._meta.concrete_fields)


def _table(model: Any) -> str:
    return f'"{model._meta.db_table}"'


def _project_statement(aggregate: str, array: str) -> str:
    """Project, plan, flags, channels and overrides; a row, with lists as JSON.

    Parameters: moment, workspace, slug, id, only, only, slug.
    """
    flags = f"SELECT {aggregate}({array}(f.event, f.enabled)) FROM {_table(EventFlag)} f"  # noqa: S608
    columns = ", ".join([*(f'p."{name}"' for name in _PROJECT), *(f'plan."{name}"' for name in _PLAN)])
    return f"""
        SELECT {columns},
            CASE WHEN p.inherits_workspace_flags
                THEN ({flags} WHERE f.workspace_id = p.workspace_id AND f.project_id IS NULL)
                ELSE ({flags} WHERE f.project_id = p.id)
            END,
            (SELECT {aggregate}({array}(
                c.id, c.key, c.name, c.kind, c.enabled, c.paused, c.suspended, c.mode))
            FROM (
                SELECT id, key, name, kind, enabled, mode, suspended_at IS NOT NULL AS suspended,
                    COALESCE(paused_until > %s, {_FALSE}) AS paused
                FROM {_table(Channel)} WHERE project_id = p.id ORDER BY position, created_at, id
            ) c),
            (SELECT {aggregate}({array}(o.channel_id, o.event, o.enabled))
            FROM {_table(Override)} o JOIN {_table(Channel)} c ON c.id = o.channel_id WHERE c.project_id = p.id)
        FROM {_table(Project)} p
        JOIN {_table(Workspace)} w ON w.id = p.workspace_id
        JOIN {_table(Plan)} plan ON plan.id = w.plan_id
        WHERE p.workspace_id = %s AND (p.slug = %s OR p.id = %s) AND (%s IS NULL OR p.id = %s)
        ORDER BY p.slug = %s DESC LIMIT 1
    """  # noqa: S608


# True and false as both databases take them.
_FALSE = "(1 = 0)"

_STATE = f"""
    CASE
        WHEN EXISTS (SELECT 1 FROM {_table(AddressBounce)} b WHERE b.email = a.email)
            THEN '{RecipientState.BOUNCED.value}'
        WHEN EXISTS (SELECT 1 FROM {_table(OptOut)} o WHERE o.project_id = %s AND o.email = a.email)
            THEN '{RecipientState.UNSUBSCRIBED.value}'
        WHEN EXISTS (
            SELECT 1 FROM {_table(User)} u JOIN {_table(Membership)} m ON m.user_id = u.id
            WHERE u.email = a.email AND u.email_verified_at IS NOT NULL AND m.workspace_id = %s
        ) OR EXISTS (
            SELECT 1 FROM {_table(AddressConfirmation)} k
            WHERE k.workspace_id = %s AND k.email = a.email AND k.confirmed_at IS NOT NULL
        ) THEN '{RecipientState.CONFIRMED.value}'
        ELSE '{RecipientState.UNCONFIRMED.value}'
    END
"""  # noqa: S608
# The addresses of a project's channels, in their order, and the owner's without a channel; each with its state, by the
# rules of `addresses.selectors.recipient_states`. Addresses are stored in their normal form everywhere.
_RECIPIENTS = f"""
    SELECT a.channel_id, a.email, {_STATE}
    FROM (
        SELECT r.channel_id, r.email, r.position, r.id
        FROM {_table(ChannelRecipient)} r JOIN {_table(Channel)} c ON c.id = r.channel_id WHERE c.project_id = %s
        UNION ALL
        SELECT NULL, u.email, 0, 0 FROM {_table(Membership)} m JOIN {_table(User)} u ON u.id = m.user_id
        WHERE m.workspace_id = %s AND m.role = '{Role.OWNER.value}'
    ) a
    ORDER BY a.position, a.id
"""  # noqa: S608
_STATEMENTS = {vendor: _project_statement(*names) for vendor, names in _JSON.items()}


def _load(workspace: Workspace, slug_or_id: str, moment: datetime, only: UUID | None) -> Loaded | None:
    wanted: UUID | None = None
    with contextlib.suppress(ValueError):
        wanted = UUID(slug_or_id)
    key, limited = _stored_id(wanted), _stored_id(only)
    parameters = [_stored_moment(moment), workspace.pk, slug_or_id, key, limited, limited, slug_or_id]
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[connection.vendor], parameters)
        row = cursor.fetchone()
        if row is None:
            return None
        end = len(_PROJECT) + len(_PLAN)
        project = _instance(Project, row[: len(_PROJECT)])
        project.workspace = workspace
        plan = _instance(Plan, row[len(_PROJECT) : end])
        flags, channels, overrides = (_decoded(value) for value in row[end:])
        kinds = [registry.get(channel[3]) for channel in channels]
        recipients: dict[UUID | None, list[Recipient]] = {}
        if any(kind.category is Category.EMAIL for kind in kinds):
            ids = [_stored_id(project.pk), workspace.pk]
            cursor.execute(_RECIPIENTS, [*ids, workspace.pk, *ids])
            for channel_id, email, state in cursor.fetchall():
                recipients.setdefault(_id(channel_id), []).append(Recipient(email, RecipientState(state)))
    return Loaded(project, _settings(plan, dict(flags), channels, overrides, recipients))


def _settings(
    plan: Plan,
    flags: dict[str, Any],
    channels: list[list[Any]],
    overrides: list[list[Any]],
    recipients: dict[UUID | None, list[Recipient]],
) -> Settings:
    limits = limits_of(plan)
    by_channel: dict[UUID | None, dict[str, bool]] = {}
    for channel_id, event, enabled in overrides:
        by_channel.setdefault(_id(channel_id), {})[event] = bool(enabled)
    ids = [_id(channel[0]) for channel in channels]
    categories = [registry.get(channel[3]).category for channel in channels]
    used = [
        Place(pk, channel[3], category)
        for pk, channel, category in zip(ids, channels, categories, strict=True)
        if channel[4]
    ]
    kept = admitted(limits, used)
    over = {place.id for place in used if place.id not in kept}
    owner = recipients.get(None, [])
    return Settings(
        flags={event: bool(flags.get(event, default)) for event, default in catalog.default_flags().items()},
        filters_in_plan=limits.per_channel_filters,
        channels=tuple(
            ChannelState(
                id=str(pk),
                key=key,
                name=name,
                kind=kind,
                category=category,
                enabled=bool(enabled),
                paused=bool(paused),
                in_plan=pk not in over,
                suspended=bool(suspended),
                overrides=by_channel.get(pk, {}),
                recipients=tuple(recipients.get(pk, owner)) if category is Category.EMAIL else (),
                holds=mode == Channel.Mode.DAILY_DIGEST,
            )
            for pk, category, (_, key, name, kind, enabled, paused, suspended, mode) in zip(
                ids, categories, channels, strict=True
            )
        ),
    )


def _instance(model: Any, values: Any) -> Any:
    """A stored object from the values of its columns."""
    names, converters = _columns(model, connection.vendor)
    row = list(values)
    for place, convert in converters:
        row[place] = convert(row[place])
    return model.from_db(connection.alias, names, row)


@functools.cache
def _columns(model: Any, vendor: str) -> tuple[list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """The attributes of a model's columns, and what makes their values of what the database returns, by place.

    SQLite has UUIDs and moments as text and booleans as numbers.
    """
    converters: list[tuple[int, Callable[[Any], Any]]] = []
    for place, column in enumerate(model._meta.concrete_fields):
        for convert in connection.ops.get_db_converters(column.cached_col) + column.get_db_converters(connection):
            converters.append((place, functools.partial(_apply, convert, column.cached_col)))
    return [field.attname for field in model._meta.concrete_fields], converters


def _apply(convert: Callable[[Any, Any, Any], Any], column: Any, value: Any) -> Any:
    return convert(value, column, connection)


def _decoded(value: Any) -> list[Any]:
    """A list from JSON: text on SQLite, decoded on PostgreSQL, nothing where there were no rows."""
    return json.loads(value) if isinstance(value, str) else value or []


def _id(value: Any) -> UUID | None:
    return value if value is None or isinstance(value, UUID) else UUID(value)


def _stored_id(value: UUID | None) -> Any:
    return value if value is None or connection.features.has_native_uuid_field else value.hex


def _stored_moment(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
