"""Places in the order of the log, and how much of it is looked through at a time.

Filters that no index serves are looked for in so many rows, from a place on; a page says how far that was. A page in
which nothing fits would otherwise cost as much as all the history there is.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from notifications.models import Delivery

LOOKED_THROUGH = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the order: its moment, then its id."""

    at: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _TICK}.{self.id.hex}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """None for anything that `str` did not make."""
        moment, _, name = text.partition(".")
        try:
            return cls(_EPOCH + int(moment[:17]) * _TICK, uuid.UUID(name))
        except (ValueError, OverflowError):
            return None


def place_of(delivery: Delivery) -> Place:
    return Place(delivery.created_at, delivery.pk)


def older(rows: QuerySet[Any], place: Place, field: str = "created_at") -> QuerySet[Any]:
    # The first condition is a range of the index; the second leaves out what has the same moment and comes before.
    return rows.filter(**{f"{field}__lte": place.at}).exclude(**{field: place.at, "pk__gte": place.id})


def newer(rows: QuerySet[Delivery], place: Place) -> QuerySet[Delivery]:
    """The oldest first."""
    later = rows.filter(created_at__gte=place.at).exclude(created_at=place.at, pk__lte=place.id)
    return later.order_by("created_at", "pk")


def first_that_fit(rows: QuerySet[Delivery], wanted: Mapping[str, str], count: int) -> list[uuid.UUID]:
    """The ids of the first `count` of `rows`, in their order by moment and id, whose fields are as `wanted`.

    Of so many that are looked through. As a table of its own, since as a condition a database may begin anywhere.
    """
    looked_at = rows.prefetch_related(None).values_list("id", "created_at", *wanted)[:LOOKED_THROUGH]
    sql, params = looked_at.query.sql_with_params()
    fits = " AND ".join(f'"{field}" = %s' for field in wanted)
    order = '"created_at", "id"' if rows.query.order_by[0] == "created_at" else '"created_at" DESC, "id" DESC'
    statement = f"SELECT id FROM ({sql}) AS looked_at WHERE {fits} ORDER BY {order} LIMIT {count}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *wanted.values()])
        return [uuid.UUID(str(pk)) for (pk,) in cursor.fetchall()]


def last_looked_at(rows: QuerySet[Delivery]) -> Place | None:
    """Where looking through `rows` stops. None: at their end."""
    found = list(rows.prefetch_related(None).values_list("created_at", "pk")[LOOKED_THROUGH - 1 : LOOKED_THROUGH + 1])
    return Place(*found[0]) if len(found) == 2 else None
