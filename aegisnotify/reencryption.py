"""Bringing all that is stored encrypted under the first key, so that the others can be dropped.

Row by row, each with an UPDATE that only takes place while the row holds what was read: nothing is locked, whoever
changes a row meanwhile wins, and stopping at any moment loses nothing. Doing it again goes through what is left.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from aegisnotify.encryption import DecryptionError, EncryptedJSONField, is_current, rotate

BATCH = 200
# A row that changes under our hands this often belongs to somebody who writes it all the time; another run gets it.
_TRIES = 5


@dataclass(slots=True)
class Result:
    """Values by what became of them. `unreadable` names those that no key opens, as "model.field id"."""

    rotated: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether the first key alone opens everything."""
        return not self.unreadable and not self.left


def encrypted_fields() -> list[EncryptedJSONField]:
    """Of every model, in a stable order."""
    return [
        each
        for model in sorted(apps.get_models(), key=lambda model: model._meta.label)
        for each in model._meta.local_concrete_fields
        if isinstance(each, EncryptedJSONField)
    ]


def reencrypt(*, only_look: bool = False) -> Result:
    """Go through everything once. With `only_look` nothing is written, and what is not current counts as left."""
    result = Result()
    for each in encrypted_fields():
        for pk, token in _tokens(each):
            _one(each, pk, token, result, only_look=only_look)
    return result


def _one(column: EncryptedJSONField, pk: Any, token: str | None, result: Result, *, only_look: bool) -> None:
    place = f"{column.model._meta.label}.{column.name} {pk}"
    for _ in range(_TRIES):
        if token is None:
            return
        if is_current(token):
            result.current += 1
            return
        try:
            rotated = rotate(token)
        except DecryptionError:
            result.unreadable.append(place)
            return
        if only_look:
            break
        if _rows(column).filter(pk=pk, token=token).update(**{column.name: Value(rotated, output_field=TextField())}):
            result.rotated += 1
            return
        token = _rows(column).filter(pk=pk).values_list("token", flat=True).first()
    result.left.append(place)


def _tokens(column: EncryptedJSONField) -> Iterator[tuple[Any, str]]:
    """The keys and stored texts of all rows, read in batches by key."""
    last: Any = None
    while True:
        rows = _rows(column).exclude(token=None).order_by("pk")
        batch = list((rows.filter(pk__gt=last) if last is not None else rows).values_list("pk", "token")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1][0]


def _rows(column: EncryptedJSONField) -> models.QuerySet[Any]:
    """Rows with the stored text as `token`, as the field itself would decrypt it."""
    manager: models.Manager[Any] = column.model._base_manager
    return manager.annotate(token=Cast(F(column.name), TextField()))
