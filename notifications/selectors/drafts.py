"""Reading somebody's draft of filters, beside what is saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aegisnotify.etags import etag
from notifications import drafts
from notifications.drafts import Base, Difference, Values
from notifications.models import FilterDraft
from notifications.selectors.matrix import Matrix
from projects.models import AuditEntry, User, Workspace

FILTER_ACTIONS = ("project.filters_changed", "workspace.flags_changed")


@dataclass(frozen=True, slots=True)
class Draft:
    """`differences` are what others changed meanwhile; with any, saving asks first. `seen` names what they are now."""

    changes: Values
    started_at: datetime | None
    stale: bool
    differences: tuple[Difference, ...]
    seen: str
    since: str = ""
    """From when on changes of others count: an ISO moment, empty without a draft."""

    def __bool__(self) -> bool:
        return bool(self.changes)


def draft_of(user: User, matrix: Matrix) -> Draft:
    """The person's draft as it stands against `matrix`; an empty one where there is none."""
    row = FilterDraft.objects.filter(user=user, workspace=matrix.workspace).first()
    if row is None:
        return Draft({}, None, False, (), "")
    return read(row, matrix)


def read(row: FilterDraft, matrix: Matrix) -> Draft:
    state = matrix.state
    changes = drafts.prune(row.changes, state)
    scopes = drafts.scopes_of(changes)
    current = matrix.versions(scopes)
    bases = {scope: base for scope, base in bases_of(row.base).items() if scope in scopes}
    stale = any(bases[scope].version != current.get(scope) for scope in bases)
    differences = drafts.differences(bases, state, changes) if stale else []
    since = min((base.at for base in bases.values()), default="")
    return Draft(changes, row.started_at if changes else None, stale, tuple(differences), etag(current), since)


def authors_since(workspace: Workspace, since: str) -> list[str]:
    """Who changed filters of the workspace since then, each once."""
    entries = AuditEntry.objects.filter(
        workspace=workspace, action__in=FILTER_ACTIONS, at__gte=datetime.fromisoformat(since)
    ).select_related("actor")
    return list(dict.fromkeys(str(entry.actor) if entry.actor else entry.actor_label for entry in entries[:50]))


def bases_of(stored: Mapping[str, Any]) -> dict[str, Base]:
    return {scope: Base(**base) for scope, base in stored.items()}
