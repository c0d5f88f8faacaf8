"""The SQL of the queue: claim rows under a lease, renew it, settle them in bulk, give them back.

One UPDATE claims a batch: it sets the lease (status, token, `next_at` = its end), counts the try and returns the
rows. An expired lease is simply due again under the same predicate and the same partial index, so there is no
recovery job; counting at claim time stops a delivery that kills its process (see `SUSPECT`). Settling is one UPDATE for
up to 100 rows, guarded by the token, so a process that lost its lease can't overwrite what another one did. (Django's
`bulk_update` cost more than twice the delivery itself.) PostgreSQL and SQLite have their own statements; other
databases take the slower portable way.
"""

import json
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from aegisnotify import bulk
from notifications.models import Attempt, Delivery, DeliveryStatus
from notifications.models.deliveries import UNFINISHED, status_among

LEASE = timedelta(seconds=30)
# From so many interruptions on a delivery is a suspect. Suspects are tried one at a time, and `begin` says when: of the
# others it is not known which of a killed batch had been begun.
SUSPECT = 2
# So many rows at the most are locked at once when a channel is put to work again.
RELEASED = 500
_TABLE = Delivery._meta.db_table
_UNFINISHED = ", ".join(f"'{status.value}'" for status in UNFINISHED)
_COLUMNS = ", ".join(f'"{field.column}"' for field in Delivery._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of one claimed delivery. `body` is stored when given; `uncount` takes the begun try back, and with
    it leaves the count of interruptions as it is. `slot_at` is a reserved moment of the target's pace, `behind_breaker`
    says that it waits for its channel's breaker."""

    id: uuid.UUID
    status: DeliveryStatus
    step: int
    next_at: datetime | None
    delivered_at: datetime | None = None
    body: str | None = None
    reason: str = ""
    uncount: bool = False
    slot_at: datetime | None = None
    behind_breaker: bool = False


def claim(
    limit: int, token: uuid.UUID, moment: datetime, *, without_channels: Collection[uuid.UUID] = ()
) -> list[Delivery]:
    """Up to `limit` due deliveries, the longest due first, now leased under `token`."""
    until = moment + LEASE
    if connection.vendor == "postgresql":
        rows = _claim_postgresql(limit, token, moment, until, without_channels)
    elif connection.vendor == "sqlite":
        rows = _claim_sqlite(limit, token, moment, until, without_channels)
    else:
        rows = _claim_portable(limit, token, moment, until, without_channels)
    return sorted(rows, key=lambda row: row.pk)


def renew(token: uuid.UUID, ids: Collection[uuid.UUID], moment: datetime) -> set[uuid.UUID]:
    """Extend the lease of claimed rows that still wait in this process; the ids of those that are ours no more.

    A lease that has ended is extended all the same where nobody has claimed the row since.
    """
    ours = Delivery.objects.filter(pk__in=ids, lease_token=token, status=DeliveryStatus.SENDING)
    if ours.update(next_at=moment + LEASE) == len(ids):
        return set()
    return set(ids) - set(ours.values_list("pk", flat=True))


def begin(token: uuid.UUID, delivery_id: uuid.UUID) -> None:
    """Note that a claimed suspect is about to be worked on: when the process dies now, it may have been its doing."""
    Delivery.objects.filter(pk=delivery_id, lease_token=token).update(begun=True)


def settle(token: uuid.UUID, results: Sequence[Settled], attempts: Sequence[Attempt] = ()) -> set[uuid.UUID]:
    """Store results and what tells of the tries, all or nothing; returns the ids that were still ours.

    On PostgreSQL it is one statement: a transaction around two has four round trips.
    """
    if not results and not attempts:
        return set()
    store = {"postgresql": _settle_postgresql, "sqlite": _settle_sqlite}.get(connection.vendor, _settle_portable)
    try:
        return store(token, results, attempts)
    except IntegrityError:
        if connection.in_atomic_block:
            raise
        # Somebody deleted a delivery, with its project or workspace, while it was tried. The others stay.
        tried = {attempt.delivery_id for attempt in attempts}
        there = set(Delivery.objects.filter(pk__in=tried).values_list("pk", flat=True))
        if there == tried:
            raise
        return store(token, results, [attempt for attempt in attempts if attempt.delivery_id in there])


def release(channel_id: uuid.UUID, moment: datetime, *, most: int = RELEASED) -> int:
    """Make due what waits for its channel's breaker, up to `most` of it, the longest waiting first; how many."""
    return _bring_forward(Delivery.objects.filter(channel=channel_id, behind_breaker=True), moment, most)


def release_until(channel_id: uuid.UUID, moment: datetime, until: datetime) -> None:
    """Make due what waits for a channel that asked to be left alone `until` then."""
    waiting = Delivery.objects.filter(channel=channel_id, next_at__lte=until)
    while _bring_forward(waiting, moment, RELEASED) == RELEASED:
        pass


def behind_breakers() -> Iterator[uuid.UUID]:
    """The channels that deliveries wait for behind a breaker, or were released for and are on their way."""
    # From one to the next along the index: of a dead channel's deliveries there may be a million.
    rows = Delivery.objects.filter(behind_breaker=True, channel__isnull=False).order_by("channel_id")
    found = rows.values_list("channel_id", flat=True).first()
    while found is not None:
        yield found
        found = rows.filter(channel_id__gt=found).values_list("channel_id", flat=True).first()


def _bring_forward(rows: QuerySet[Delivery], moment: datetime, most: int) -> int:
    waiting = rows.filter(status_among(UNFINISHED), next_at__gt=moment).exclude(status=DeliveryStatus.SENDING)
    # Read first, so that the update locks no more than it changes.
    ids = list(waiting.order_by("next_at").values_list("pk", flat=True)[:most])
    return waiting.filter(pk__in=ids).update(next_at=moment) if ids else 0


def next_due() -> datetime | None:
    """When the next unfinished delivery falls due, if there is one."""
    return (
        Delivery.objects.filter(status_among(UNFINISHED)).order_by("next_at").values_list("next_at", flat=True).first()
    )


# Whether the claim before this one ended without a result, and may have been begun.
_INTERRUPTED = f"""("status" = '{DeliveryStatus.SENDING.value}' AND ("interruptions" < {SUSPECT} OR "begun"))"""
# A claim that ended without having been begun was no try.
_NO_TRY = f"""("status" = '{DeliveryStatus.SENDING.value}' AND "interruptions" >= {SUSPECT} AND NOT "begun")"""
_SET = f"""
    SET "interrupted" = {_INTERRUPTED},
        "interruptions" = "interruptions" + (CASE WHEN {_INTERRUPTED} THEN 1 ELSE 0 END),
        "status" = '{DeliveryStatus.SENDING.value}', "begun" = FALSE,
        "lease_token" = %s, "next_at" = %s,
        "attempt_count" = "attempt_count" + (CASE WHEN {_NO_TRY} THEN 0 ELSE 1 END)
"""


def _claim_postgresql(
    limit: int, token: uuid.UUID, moment: datetime, until: datetime, without: Collection[uuid.UUID]
) -> list[Delivery]:
    excluded = 'AND ("channel_id" IS NULL OR "channel_id" <> ALL(%s))' if without else ""
    sql = f"""
        UPDATE "{_TABLE}" {_SET}
        WHERE "id" = ANY(ARRAY(
            SELECT "id" FROM "{_TABLE}"
            WHERE "status" IN ({_UNFINISHED}) AND "next_at" <= %s {excluded}
            ORDER BY "next_at" LIMIT %s FOR UPDATE SKIP LOCKED
        ))
        RETURNING {_COLUMNS}
    """  # noqa: S608
    return list(Delivery.objects.raw(sql, [token, until, moment, *([list(without)] if without else []), limit]))


def _claim_sqlite(
    limit: int, token: uuid.UUID, moment: datetime, until: datetime, without: Collection[uuid.UUID]
) -> list[Delivery]:
    excluded = (
        f'AND ("channel_id" IS NULL OR "channel_id" NOT IN ({", ".join(["%s"] * len(without))}))' if without else ""
    )
    sql = f"""
        UPDATE "{_TABLE}" {_SET}
        WHERE "id" IN (
            SELECT "id" FROM "{_TABLE}"
            WHERE "status" IN ({_UNFINISHED}) AND "next_at" <= %s {excluded}
            ORDER BY "next_at" LIMIT %s
        )
        RETURNING {_COLUMNS}
    """  # noqa: S608
    # SQLite keeps UUIDs as 32 hex digits and moments as UTC text, as Django's fields do.
    params = [token.hex, _sqlite_moment(until), _sqlite_moment(moment), *(pk.hex for pk in without), limit]
    return list(Delivery.objects.raw(sql, params))


def _claim_portable(
    limit: int, token: uuid.UUID, moment: datetime, until: datetime, without: Collection[uuid.UUID]
) -> list[Delivery]:
    with transaction.atomic():
        due = Delivery.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        due = due.filter(status__in=UNFINISHED, next_at__lte=moment).order_by("next_at")
        rows = list(due.exclude(channel__in=list(without))[:limit] if without else due[:limit])
        for row in rows:
            was_sending = row.status == DeliveryStatus.SENDING
            row.interrupted = was_sending and (row.interruptions < SUSPECT or row.begun)
            row.interruptions += row.interrupted
            row.status, row.begun = DeliveryStatus.SENDING, False
            row.lease_token, row.next_at = token, until
            row.attempt_count += row.interrupted or not was_sending
        Delivery.objects.bulk_update(
            rows, ["interrupted", "interruptions", "status", "begun", "lease_token", "next_at", "attempt_count"]
        )
    return rows


_RESULT = {
    "id": "uuid",
    "status": "text",
    "step": "integer",
    "next_at": "timestamptz",
    "delivered_at": "timestamptz",
    "body": "text",
    "reason": "text",
    "uncount": "integer",
    "slot_at": "timestamptz",
    "behind_breaker": "integer",
}


def _settle_sql(results: str, *, false: str, returning: str) -> str:
    """The statement over `results`, a source of rows with the columns `_RESULT`, named v."""
    return f"""
        UPDATE "{_TABLE}" AS d
        SET "status" = v."status", "step" = v."step", "next_at" = v."next_at", "lease_token" = NULL,
            "interrupted" = {false}, "delivered_at" = COALESCE(v."delivered_at", d."delivered_at"),
            "body" = COALESCE(v."body", d."body"), "status_reason" = v."reason",
            "attempt_count" = d."attempt_count" - v."uncount", "slot_at" = v."slot_at",
            "interruptions" = d."interruptions" * v."uncount", "behind_breaker" = v."behind_breaker" = 1
        FROM {results}
        WHERE d."id" = v."id" AND d."lease_token" = %s AND d."status" = '{DeliveryStatus.SENDING.value}'
        RETURNING {returning}
    """  # noqa: S608


def _settle_postgresql(token: uuid.UUID, results: Sequence[Settled], attempts: Sequence[Attempt]) -> set[uuid.UUID]:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _RESULT.items())
    sql = _settle_sql(f"json_to_recordset(%s) AS v({columns})", false="FALSE", returning='d."id"')
    rows = [dict(zip(_RESULT, _values(result, str, str), strict=True)) for result in results]
    parameters: list[str | uuid.UUID] = [json.dumps(rows, ensure_ascii=False), token]
    if attempts:
        insertion, parameter = bulk.postgresql_insertion(attempts)
        sql = f'WITH "settled" AS ({sql}), "told" AS ({insertion}) SELECT "id" FROM "settled"'  # noqa: S608
        parameters.append(parameter)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {row[0] for row in cursor.fetchall()}


def _settle_sqlite(token: uuid.UUID, results: Sequence[Settled], attempts: Sequence[Attempt]) -> set[uuid.UUID]:
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS \"{name}\"" for place, name in enumerate(_RESULT))
    sql = _settle_sql(f"(SELECT {picked} FROM json_each(%s)) AS v", false="0", returning='"id"')  # noqa: S608
    rows = [_values(result, lambda pk: pk.hex, _sqlite_moment) for result in results]
    with transaction.atomic(), connection.cursor() as cursor:
        bulk.insert(attempts)
        cursor.execute(sql, [json.dumps(rows), token.hex])
        return {uuid.UUID(row[0]) for row in cursor.fetchall()}


def _values(
    result: Settled, key: Callable[[uuid.UUID], str], moment: Callable[[datetime], str]
) -> tuple[str | int | None, ...]:
    """The values of `_RESULT`, in its order, with keys and moments as the database reads them."""
    return (
        key(result.id),
        result.status.value,
        result.step,
        moment(result.next_at) if result.next_at else None,
        moment(result.delivered_at) if result.delivered_at else None,
        result.body,
        result.reason,
        int(result.uncount),
        moment(result.slot_at) if result.slot_at else None,
        int(result.behind_breaker),
    )


def _settle_portable(token: uuid.UUID, results: Sequence[Settled], attempts: Sequence[Attempt]) -> set[uuid.UUID]:
    ours = set()
    with transaction.atomic():
        bulk.insert(attempts)
        for result in results:
            changes: dict[str, Any] = {
                "status": result.status,
                "step": result.step,
                "next_at": result.next_at,
                "lease_token": None,
                "interrupted": False,
                "interruptions": F("interruptions") * int(result.uncount),
                "slot_at": result.slot_at,
                "behind_breaker": result.behind_breaker,
                "status_reason": result.reason,
                "attempt_count": F("attempt_count") - int(result.uncount),
            }
            if result.delivered_at is not None:
                changes["delivered_at"] = result.delivered_at
            if result.body is not None:
                changes["body"] = result.body
            held = Delivery.objects.filter(pk=result.id, lease_token=token, status=DeliveryStatus.SENDING)
            if held.update(**changes):
                ours.add(result.id)
    return ours


def _sqlite_moment(moment: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(moment))
