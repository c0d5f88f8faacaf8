"""Rows to measure with, made by the database itself: a million deliveries by the ORM would take half an hour."""

import json
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from aegisnotify.clock import now
from notifications.models import Attempt, Channel, Delivery, Occurrence
from projects.access import Role
from projects.models import ApiToken, Membership, Plan, Project, User, Workspace
from projects.scopes import Scope
from projects.services.tokens import digest
from tests.benchmarks.harness import RUN, TOKEN

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def workspace() -> Workspace:
    """The one workspace, on Business, with an owner and a token that may do all."""
    found = Workspace.objects.filter(slug="bench").first()
    if found is None:
        owner = User.objects.create(email="owner@example.com", name="Owner", email_verified_at=now())
        found = Workspace.objects.create(name="Bench", slug="bench", plan=Plan.objects.get(code="business"))
        Membership.objects.create(workspace=found, user=owner, role=Role.OWNER)
        ApiToken.objects.create(
            workspace=found, name="bench", hint="aegis_", digest=digest(TOKEN), scopes=[scope.value for scope in Scope]
        )
    return found


def project(slug: str, ports: list[int], kinds: list[str] | None = None) -> str:
    """A new project with a webhook for each port (or channels of these kinds); its id. Others are deleted."""
    Project.objects.all().delete()
    made = Project.objects.create(workspace=workspace(), name="Shop", slug=slug)
    for place, port in enumerate(ports):
        kind = kinds[place] if kinds else "webhook"
        config = {"url": f"http://127.0.0.1:{port}/hook/{place}-abcdefghijkl"}
        Channel.objects.create(
            project=made,
            kind=kind,
            key=f"{kind}-{place}",
            name=f"Channel {place}",
            position=place,
            config={} if kind == "email" else config | ({"secret": SECRET} if kind == "webhook" else {}),
            target_host=f"127.0.0.1:{port}",
        )
    return str(made.pk)


def fill(count: int, *, slug: str = "shop", status: str = "pending", start: int = 0, days_ago: int = 0) -> None:
    """`count` webhook deliveries of the project, spread over its channels; a delivered one has its attempt."""
    owner = Project.objects.get(slug=slug)
    channels = list(owner.channels.order_by("position"))
    size = len(channels)
    postgresql = connection.vendor == "postgresql"
    created = now() - timedelta(days=days_ago)
    milliseconds = int(created.timestamp() * 1000)

    def identifier(number: str, tag: str) -> str:
        """Time-ordered as the project's ids: a millisecond for every ten rows."""
        if postgresql:
            time = f"lpad(to_hex({milliseconds} + {number} / 10), 12, '0')"
            return f"({time} || '{tag}' || lpad(to_hex({number}), 12, '0'))::uuid"
        return f"printf('%%012x{tag}%%012x', {milliseconds} + {number} / 10, {number})"

    def of_channel(texts: list[str], cast: str = "") -> str:
        whens = " ".join(f"WHEN {place} THEN '{text}'{cast}" for place, text in enumerate(texts))
        return f"CASE n %% {size} {whens} END"

    numbers = (
        "(SELECT generate_series AS n FROM generate_series(%s::bigint, %s::bigint)) AS numbers"
        if postgresql
        else "(WITH RECURSIVE up(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM up WHERE n < %s) SELECT n FROM up)"
    )
    body = json.dumps({"event": "run_failed", "timestamp": "2026-04-28T10:42:11Z", "run": RUN}, separators=(",", ":"))
    moment: Any = created if postgresql else connection.ops.adapt_datetimefield_value(created)
    done, false = status == "delivered", "FALSE" if postgresql else "0"
    delivery, occurrence = identifier("n", "70008000"), identifier("n", "70009000")
    owned = [owner.workspace_id, _stored(owner.pk)]
    first, last = start, start + count - 1
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {Occurrence._meta.db_table}
                (id, workspace_id, project_id, kind, source_id, facts, fired, decisions, occurred_at, received_at)
                SELECT {occurrence}, %s, %s, 'run', 'run-' || n, %s, 'run_failed,run_completed', '[]', %s, %s
                FROM {numbers}""",
            [*owned, json.dumps(RUN), moment, moment, first // size, last // size],
        )
        cursor.execute(
            f"""INSERT INTO {Delivery._meta.db_table}
                (id, workspace_id, project_id, occurrence_id, channel_id, channel_key, kind, event, recipient, status,
                 attempt_count, step, next_at, interrupted, interruptions, begun, behind_breaker, body, status_reason,
                 created_at, delivered_at)
                SELECT {delivery}, %s, %s, {identifier(f"(n / {size})", "70009000")},
                       {of_channel([_stored(channel.pk) for channel in channels], "::uuid" if postgresql else "")},
                       {of_channel([channel.key for channel in channels])}, 'webhook', 'run_failed', '', %s, %s, 0, %s,
                       {false}, 0, {false}, {false}, %s, '', %s, %s
                FROM {numbers}""",
            [*owned, status, int(done), None if done else moment, body, moment, moment if done else None, first, last],
        )
        if done:
            cursor.execute(
                f"""INSERT INTO {Attempt._meta.db_table}
                    (delivery_id, number, at, duration_ms, status_code, outcome, error, response)
                    SELECT {delivery}, 1, %s, 12, 200, 'ok', 'The receiver answered 200 OK.', 'ok' FROM {numbers}""",
                [moment, first, last],
            )
    if postgresql:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def empty() -> None:
    """No occurrences, deliveries and attempts any more."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {Occurrence._meta.db_table} CASCADE")
        else:
            for model in (Attempt, Delivery, Occurrence):
                cursor.execute(f"DELETE FROM {model._meta.db_table}")


def refill(count: int) -> None:
    empty()
    fill(count)


def left() -> int:
    """How many deliveries are not delivered."""
    return Delivery.objects.exclude(status="delivered").count()


def oldest_due() -> float:
    """For how many seconds the longest due delivery has been due."""
    from notifications.delivery import outbox

    due = outbox.next_due()
    return max((now() - due).total_seconds(), 0.0) if due else 0.0


def delivered() -> list[str]:
    return [str(pk) for pk in Delivery.objects.filter(status="delivered").values_list("pk", flat=True)]


def expire_leases() -> None:
    """As if their 30 seconds had been over for a while: they are the longest due."""
    Delivery.objects.filter(status="sending").update(next_at=now() - timedelta(hours=1))


def _stored(value: Any) -> Any:
    """A UUID as the database has it."""
    text = str(value)
    return text if connection.vendor == "postgresql" or isinstance(value, str) else text.replace("-", "")
