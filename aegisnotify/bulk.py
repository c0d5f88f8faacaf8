"""Making and inserting new rows without the ORM's cost per value, which was half of the cost of accepting an event.

PostgreSQL gets one statement with all rows in one parameter, as JSON (quoting arrays costs psycopg several times as
much); SQLite, which has no round trips, the same short statement for each row. Other databases go through the ORM.
"""

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Field, ForeignKey, Model

_VENDORS = frozenset({"postgresql", "sqlite"})
_PLAIN = frozenset(
    {"BooleanField", "TextField", "IntegerField", "BigIntegerField", "BigAutoField", "PositiveIntegerField"}
    | {"PositiveSmallIntegerField", "PositiveBigIntegerField"}
)


Row = TypeVar("Row", bound=Model)


def new(model: type[Row], **given: Any) -> Row:
    """An unsaved row from the values of its columns (`project_id`, not `project`); the others have their defaults.

    The same as calling the model, at a third of the time: Django is quick with positional values only.
    """
    columns = _columns(model)
    assert given.keys() <= columns.keys(), given.keys() - columns.keys()
    return model(*[given[name] if name in given else default() for name, default in columns.items()])


@functools.cache
def _columns(model: type[Model]) -> dict[str, Callable[[], Any]]:
    return {field.attname: field.get_default for field in model._meta.concrete_fields}


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one model. A key that the database makes is not read back."""
    if not rows:
        return
    if connection.vendor not in _VENDORS:
        type(rows[0])._base_manager.bulk_create(rows)
    else:
        _insert(rows, "")


def insert_unknown(rows: Sequence[Model]) -> set[Any]:
    """Insert those that break no unique constraint; their primary keys, which the rows have already.

    Of two transactions that insert the same, the second one waits for the first.
    """
    if not rows:
        return set()
    manager, keys = type(rows[0])._base_manager, {row.pk for row in rows}
    if connection.vendor not in _VENDORS:
        manager.bulk_create(rows, ignore_conflicts=True)
    elif _insert(rows, "ON CONFLICT DO NOTHING") == len(rows):
        return keys
    return set(manager.filter(pk__in=keys).values_list("pk", flat=True))


def postgresql_insertion(rows: Sequence[Model], ending: str = "") -> tuple[str, str]:
    """The statement and its one parameter, for a statement that does more than inserting. The rows are of one model."""
    sql, columns = _statement(type(rows[0]), "postgresql", ending)
    values = [{name: stored(getattr(row, name)) for name, stored in columns} for row in rows]
    return sql, json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _insert(rows: Sequence[Model], ending: str) -> int:
    """How many were inserted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql, parameter = postgresql_insertion(rows, ending)
            cursor.execute(sql, [parameter])
        else:
            sql, columns = _statement(type(rows[0]), connection.vendor, ending)
            cursor.executemany(sql, [[stored(getattr(row, name)) for name, stored in columns] for row in rows])
        return int(cursor.rowcount)


@functools.cache
def _statement(model: type[Model], vendor: str, ending: str) -> tuple[str, list[tuple[str, Callable[[Any], Any]]]]:
    """The statement, and for each of its columns the attribute and what makes a stored value of it."""
    fields = [field for field in model._meta.concrete_fields if field.get_internal_type() != "BigAutoField"]
    names = ", ".join(f'"{field.column}"' for field in fields)
    into = f'INSERT INTO "{model._meta.db_table}" ({names})'
    if vendor == "postgresql":
        # As text, not varchar(60): an insert refuses what is too long, a cast would cut it.
        kinds = ((field.attname, field.db_type(connection) or "") for field in fields)
        record = ", ".join(f'"{name}" {"text" if kind.startswith("varchar") else kind}' for name, kind in kinds)
        sql = f"{into} SELECT * FROM json_to_recordset(%s) AS rows({record}) {ending}"  # noqa: S608
    else:
        sql = f"{into} VALUES ({', '.join(['%s'] * len(fields))}) {ending}"
    return sql, [(field.attname, _storing(field, vendor)) for field in fields]


def _storing(field: "Field[Any, Any]", vendor: str) -> Callable[[Any], Any]:
    target = field.target_field if isinstance(field, ForeignKey) else field
    kind = target.get_internal_type()
    if kind in _PLAIN:
        return lambda value: value
    if kind == "CharField":
        # A member of an enumeration is its text.
        return _text
    return _STORING[vendor].get(kind) or (lambda value: field.get_db_prep_save(value, connection))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# Rows that are made together share their moments.
@functools.lru_cache(maxsize=64)
def _sqlite_moment(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


_STORING: dict[str, dict[str, Callable[[Any], Any]]] = {
    "postgresql": {"UUIDField": _text, "DateTimeField": _text, "JSONField": lambda value: value},
    # As Django's fields store them: UUIDs as 32 digits, moments as text in UTC.
    "sqlite": {
        "UUIDField": lambda value: None if value is None else str(value).replace("-", ""),
        "DateTimeField": _sqlite_moment,
        "JSONField": json.dumps,
    },
}
