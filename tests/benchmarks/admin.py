"""With a million deliveries: what lists of the admin, of the pages and of the API take, and by which indexes."""

import statistics
import time
from typing import Any

from tests.benchmarks.harness import Options, Table, postgresql, progress, sqlite

SIZE = 1_000_000
LIMIT_MS = 300


def run(options: Options) -> list[Table]:
    tables = []
    for opened in (postgresql, sqlite):
        with opened() as database:
            progress(f"admin, {database.name}: filling {options.size(SIZE):,} rows")
            database.remote.call("rows:project", slug="shop", ports=list(range(9001, 9009)))
            database.remote.call("growth:fill", count=options.size(SIZE))
            database.remote.call("admin:vary")
            progress(f"admin, {database.name}: opening lists")
            found = database.remote.call("admin:measure", rounds=options.rounds)
        slow = sum(row["ms"] > LIMIT_MS for row in found)
        scans = sum(bool(row["scans"]) for row in found)
        table = Table(
            f"{database.name}, {options.size(SIZE):,} deliveries: {len(found)} lists, {slow} slower than {LIMIT_MS} ms, "
            f"{scans} with a sequential scan of a large table",
            ["list", "ms", "queries", "indexes of large tables", "sequential scans"],
        )
        for row in found:
            table.add(
                row["name"],
                f"{row['ms']:.0f}",
                row["queries"],
                ", ".join(row["indexes"]) or "-",
                ", ".join(row["scans"]) or "none",
            )
        tables.append(table)
    return tables


# -- in the measured process --

RARE = 300


def vary() -> None:
    """A few rows of each sort that staff look for, the oldest of all: the worst place for a list of the newest."""
    from django.db import connection

    from aegisnotify.clock import now
    from notifications.models import Delivery, Occurrence
    from projects.models import AuditEntry, User
    from tests.benchmarks import rows

    oldest = list(Delivery.objects.order_by("pk").values_list("pk", flat=True)[: 5 * RARE])
    changes: tuple[dict[str, Any], ...] = (
        {"status": "failed"},
        {"status": "cancelled"},
        {"status": "pending", "next_at": now(), "delivered_at": None},
        {"kind": "email", "recipient": "ann@example.com"},
        {"event": "ai_generated"},
    )
    for place, change in enumerate(changes):
        Delivery.objects.filter(pk__in=oldest[place * RARE : (place + 1) * RARE]).update(**change)
    events = list(Occurrence.objects.order_by("pk").values_list("pk", flat=True)[:RARE])
    Occurrence.objects.filter(pk__in=events).update(kind="crawl")
    staff = User.objects.create_superuser("staff@example.com", "a long and good one")
    workspace = rows.workspace()
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                workspace=workspace,
                at=now(),
                actor=None if number else staff,
                actor_label="owner@example.com",
                source="page" if number else "admin",
                action="channel.updated",
                target_type="channel",
                target_id=f"{number % 5000}",
                target_label="Channel",
                changes={"name": ["Channel", "Orders"]},
            )
            for number in range(100_000)
        ],
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        # As autovacuum does on PostgreSQL; SQLite's own settings run PRAGMA optimize.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize")


def lists() -> list[tuple[str, str]]:
    from notifications.models import Delivery
    from projects.models import Project

    newest = Delivery.objects.order_by("-pk")[500_000 if Delivery.objects.count() > 500_000 else 100]
    project, run = Project.objects.get(), newest.occurrence.source_id
    deliveries, events = "/admin/notifications/delivery/", "/admin/notifications/occurrence/"
    attempts, audit = "/admin/notifications/attempt/", "/admin/projects/auditentry/"
    return [
        ("admin: deliveries", deliveries),
        ("admin: deliveries, page 100", f"{deliveries}?p=100"),
        *(
            (f"admin: deliveries, {status}", f"{deliveries}?status={status}")
            for status in ("failed", "pending", "held")
        ),
        ("admin: deliveries, delivered", f"{deliveries}?status=delivered"),
        ("admin: deliveries, of a rare kind", f"{deliveries}?kind=email"),
        ("admin: deliveries, of a rare event", f"{deliveries}?event=ai_generated"),
        ("admin: deliveries, last 24 hours", f"{deliveries}?created=24h"),
        ("admin: deliveries, by run id", f"{deliveries}?q={run}"),
        ("admin: deliveries, by delivery id", f"{deliveries}?q={newest.pk}"),
        ("admin: deliveries, by event id", f"{deliveries}?q={newest.occurrence_id}"),
        ("admin: deliveries, by email", f"{deliveries}?q=ann@example.com"),
        ("admin: deliveries, by nothing known", f"{deliveries}?q=nothing"),
        ("admin: deliveries, by project", f"{deliveries}?q={project.pk}"),
        ("admin: deliveries, by channel", f"{deliveries}?q={newest.channel_id}"),
        ("admin: deliveries, by workspace", f"{deliveries}?q=bench"),
        ("admin: deliveries, failed of a workspace", f"{deliveries}?q=bench&status=failed"),
        ("admin: one delivery", f"{deliveries}{newest.pk}/change/"),
        ("admin: events", events),
        ("admin: events, of a rare kind", f"{events}?kind=crawl"),
        ("admin: events, by run id", f"{events}?q={run}"),
        ("admin: events, by workspace", f"{events}?q=bench"),
        ("admin: tries", attempts),
        ("admin: tries, of a rare outcome", f"{attempts}?outcome=failed"),
        ("admin: tries, by delivery", f"{attempts}?q={newest.pk}"),
        ("admin: audit log", audit),
        ("admin: audit log, from a rare source", f"{audit}?source=admin"),
        ("admin: audit log, by workspace", f"{audit}?q=bench"),
        ("admin: audit log, by actor", f"{audit}?q=staff@example.com"),
        ("admin: audit log, by target", f"{audit}?q=4711"),
        ("admin: channels", "/admin/notifications/channel/"),
        ("admin: workspaces", "/admin/projects/workspace/"),
        ("admin: users", "/admin/projects/user/"),
        ("page: deliveries", "/deliveries/?ws=bench"),
        ("page: deliveries, failed", "/deliveries/?ws=bench&status=failed"),
        ("page: deliveries, by run id", f"/deliveries/?ws=bench&q={run}"),
        ("page: held back", "/deliveries/?ws=bench&show=held_back"),
        ("page: activity of a project", "/p/shop/?ws=bench"),
        ("page: audit log", "/settings/audit/?ws=bench"),
        ("API: deliveries", "/api/v1/deliveries"),
        ("API: deliveries, failed", "/api/v1/deliveries?status=failed"),
        ("API: events", "/api/v1/events"),
        ("API: events that fired run_failed", "/api/v1/events?event=run_failed"),
    ]


def measure(rounds: int) -> list[dict[str, Any]]:
    from django.test import Client

    from projects.access import Role
    from projects.models import Membership, User
    from tests.benchmarks import plans, rows

    staff = User.objects.get(email="staff@example.com")
    Membership.objects.get_or_create(workspace=rows.workspace(), user=staff, defaults={"role": Role.ADMIN})
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(staff)
    found = []
    for name, address in lists():
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            client.get(address).content  # noqa: B018
            times.append(time.perf_counter() - begun)
        with plans.watched() as statements:
            client.get(address)
        indexes, scans = plans.used(statements)
        found.append(
            {
                "name": name,
                "ms": statistics.median(times) * 1000,
                "queries": len(statements.made),
                "indexes": indexes,
                "scans": scans,
            }
        )
    return [*found, *_engine(plans)]


def _engine(plans: Any) -> list[dict[str, Any]]:
    """Claiming and asking what is due next."""
    import uuid

    from aegisnotify.clock import now
    from notifications.delivery import outbox

    found = []
    for name, call in (
        ("engine: next due", outbox.next_due),
        ("engine: claim of 200", lambda: outbox.claim(200, uuid.uuid4(), now())),
    ):
        with plans.watched() as statements:
            begun = time.perf_counter()
            call()
            took = time.perf_counter() - begun
        indexes, scans = plans.used(statements)
        row = {"name": name, "ms": took * 1000, "queries": len(statements.made), "indexes": indexes, "scans": scans}
        found.append(row)
    return found
