"""How the database goes about statements: which indexes it uses, and which large tables it reads from end to end."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from notifications.models import Attempt, Delivery, Occurrence
from projects.models import AuditEntry

LARGE = tuple(model._meta.db_table for model in (Attempt, Delivery, Occurrence, AuditEntry))


class Statements:
    """What was executed, with its parameters and how long it took."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any, float]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if not many:
                self.made.append((sql, params, time.perf_counter() - begun))

    @property
    def longest_ms(self) -> float:
        return max((seconds for _, _, seconds in self.made), default=0) * 1000


@contextmanager
def watched() -> Iterator[Statements]:
    statements = Statements()
    with connection.execute_wrapper(statements):
        yield statements


def used(statements: Statements) -> tuple[list[str], list[str]]:
    """The indexes that statements on the large tables used, and those tables that some read from end to end."""
    indexes: set[str] = set()
    scanned: set[str] = set()
    for sql, params in {sql: params for sql, params, _ in statements.made}.items():
        if not any(f'"{table}"' in sql for table in LARGE) or not sql.lstrip().upper().startswith(_EXPLAINED):
            continue
        lines = _explained(sql, params)
        for line in lines:
            indexes.update(name for name in _INDEX.findall(line) if _of_large(line, name))
            if not _in_order_of_key(sql, lines):
                scanned.update(table for table in LARGE if re.search(_SCAN.format(table), line))
    return sorted(indexes), sorted(scanned)


def _in_order_of_key(sql: str, lines: list[str]) -> bool:
    """SQLite keeps a table with a number as its key in that order, and calls a walk from its end a scan as well."""
    return (
        connection.vendor == "sqlite"
        and "LIMIT" in sql
        and re.search(r'ORDER BY (?:1|"col1"|\S+"id") DESC', sql) is not None
        and not any("TEMP B-TREE" in line for line in lines)
    )


# An INSERT reads nothing of the table it writes to.
_EXPLAINED = ("SELECT", "UPDATE", "DELETE", "WITH")
_INDEX = re.compile(r"(?:using|on|INDEX) (\w+)")
_SCAN = r"(?:Seq Scan on|SCAN) {}(?: (?!\w*\s*USING)|$)"


def _explained(sql: str, params: Any) -> list[str]:
    prefix = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix} {sql}", params)
        return [str(row[-1]) for row in cursor.fetchall()]


def _of_large(line: str, name: str) -> bool:
    """Whether a name in a line of a plan is an index, not a table, of a large table."""
    if connection.vendor == "postgresql":
        return "Index" in line and name not in LARGE and any(name in _indexes()[table] for table in LARGE)
    return any(name in _indexes()[table] for table in LARGE)


def _indexes() -> dict[str, set[str]]:
    if not _known:
        with connection.cursor() as cursor:
            for table in LARGE:
                constraints = connection.introspection.get_constraints(cursor, table)
                _known[table] = {name for name, about in constraints.items() if about["index"] or about["unique"]}
    return _known


_known: dict[str, set[str]] = {}
