"""Staging filters in a draft, and saving it. A draft is its owner's alone and changes nothing, so it is not audited."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from aegisnotify.clock import now
from notifications import drafts
from notifications.drafts import Base, Value, Values
from notifications.models import FilterDraft
from notifications.selectors.drafts import bases_of, read
from notifications.selectors.matrix import Matrix, load_matrix
from notifications.services.filters import FilterChange, change_filters
from projects.actors import Actor
from projects.errors import Stale
from projects.models import User, Workspace


def stage(user: User, matrix: Matrix, path: str, value: Value) -> None:
    """Put one setting into the draft, or take it out where the value is the saved one."""
    saved = drafts.all_values(matrix.state)
    _change(user, matrix, lambda changes: drafts.stage(changes, saved, {path: value}))


def stage_inheritance(user: User, matrix: Matrix, project_id: UUID, follow: bool) -> None:
    """Let a project follow the workspace's flags, or give it its own set, in the draft."""
    state = matrix.state
    _change(user, matrix, lambda changes: drafts.stage_inheritance(changes, state, str(project_id), follow))


def discard(user: User, workspace: Workspace) -> None:
    FilterDraft.objects.filter(user=user, workspace=workspace).delete()


@transaction.atomic
def save(actor: Actor, user: User, workspace: Workspace) -> int:
    """Save the draft: all of it or nothing. How many settings were changed; 0 where there was no draft (any more).

    Raises `Stale` when somebody changed one of its scopes since, `PlanLimit` when it has filters and the plan has none.
    """
    row = FilterDraft.objects.select_for_update().filter(user=user, workspace=workspace).first()
    if row is None:
        return 0
    state = load_matrix(workspace, now()).state
    changes = drafts.prune(row.changes, state)
    bases = bases_of(row.base)
    asked = {scope: FilterChange(new, bases[scope].version) for scope, new in drafts.requests(state, changes).items()}
    flags = asked.pop(drafts.WORKSPACE, None)
    change_filters(actor, workspace, flags=flags, projects={UUID(scope): change for scope, change in asked.items()})
    row.delete()
    return len(changes)


@transaction.atomic
def resolve(user: User, matrix: Matrix, *, keep_mine: bool, seen: str) -> None:
    """Go on from what others saved meanwhile: with one's own values where the two differ, or with theirs.

    `seen` names what was shown when this was decided; raises `Stale` when it changed again.
    """
    row = FilterDraft.objects.select_for_update().filter(user=user, workspace=matrix.workspace).first()
    if row is None:
        return
    draft = read(row, matrix)
    if draft.seen != seen:
        raise Stale("These settings were changed once more. Look at them again, then decide.")
    theirs = {difference.path for difference in draft.differences if difference.contested}
    changes = {path: value for path, value in draft.changes.items() if keep_mine or path not in theirs}
    _store(row, matrix, changes, now(), rebase=True)


@transaction.atomic
def follow_own_change(user: User, before: Matrix, after: Matrix) -> None:
    """What somebody changes outside of their draft is no news to them: the draft goes on from it.

    A draft that others had overtaken already stays so.
    """
    row = FilterDraft.objects.select_for_update().filter(user=user, workspace=after.workspace).first()
    if row is not None and not read(row, before).stale:
        _store(row, after, drafts.prune(row.changes, after.state), now(), rebase=True)


@transaction.atomic
def _change(user: User, matrix: Matrix, change: Callable[[Values], dict[str, Value]]) -> None:
    moment = now()
    # Two clicks in a row are two requests, and each changes what the other one stored.
    row, _ = FilterDraft.objects.select_for_update().get_or_create(
        user=user, workspace=matrix.workspace, defaults={"started_at": moment, "updated_at": moment}
    )
    _store(row, matrix, change(drafts.prune(row.changes, matrix.state)), moment, rebase=False)


def _store(row: FilterDraft, matrix: Matrix, changes: Values, moment: datetime, *, rebase: bool) -> None:
    if not changes:
        row.delete()
        return
    scopes = drafts.scopes_of(changes)
    versions = matrix.versions(scopes)
    kept = {} if rebase else {scope: base for scope, base in bases_of(row.base).items() if scope in scopes}
    bases = {
        scope: kept.get(scope) or Base(versions[scope], moment.isoformat(), drafts.values_of(matrix.state, scope))
        for scope in scopes
    }
    row.changes, row.updated_at = dict(changes), moment
    row.base = {scope: asdict(base) for scope, base in bases.items()}
    row.save()
