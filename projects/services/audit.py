"""Writing the audit log."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from aegisnotify.clock import now
from projects.actors import Actor
from projects.models import AuditEntry, Project, Workspace

Changes = Mapping[str, tuple[Any, Any]]

MASK = "•••"


def record(
    actor: Actor,
    action: str,
    target: models.Model,
    *,
    workspace: Workspace | None,
    changes: Changes | None = None,
    project: Project | None = None,
    label: str | None = None,
) -> AuditEntry:
    """Record one change. Call it in the change's own transaction; give secrets as `MASK`, never as themselves."""
    return AuditEntry.objects.create(
        workspace=workspace,
        at=now(),
        actor=actor.user,
        actor_label=actor.label[:200],
        source=actor.source,
        address=actor.address,
        action=action,
        project_id=project.pk if project else None,
        target_type=target._meta.model_name or "",
        target_id=str(target.pk),
        target_label=(label if label is not None else str(target))[:300],
        changes={field: [_plain(old), _plain(new)] for field, (old, new) in (changes or {}).items()},
    )


def differences(instance: models.Model, new: Mapping[str, Any], fields: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    """What would change: `{field: (old, new)}` for those `fields` that `new` names with another value."""
    return {
        field: (getattr(instance, field), new[field])
        for field in fields
        if field in new and getattr(instance, field) != new[field]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return str(value)
    return value if isinstance(value, bool | int | float | str | list | dict | None) else str(value)
