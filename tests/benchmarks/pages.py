"""With a million deliveries and 200 channels: the server time of every page, none over 150 ms."""

import statistics
import time
from functools import partial
from importlib import import_module
from typing import Any

from tests.benchmarks.harness import Options, Table, postgresql, progress, sqlite

SIZE, BITE, CHANNELS = 1_000_000, 50_000, 200
LIMIT_MS = 150
_HTMX = {"hx-request": "true"}
# Four days between two bites: the oldest deliveries are about as old as the plan's history.
DAYS_APART = 4


def run(options: Options) -> list[Table]:
    tables = []
    for opened in (sqlite, postgresql):
        with opened(kept=f"pages_{options.size(SIZE)}" if options.keep else "") as database:
            if not database.remote.call("pages:is_filled"):
                progress(f"pages, {database.name}: filling {options.size(SIZE):,} rows")
                database.remote.call("rows:project", slug="shop", ports=list(range(9001, 9009)))
                database.remote.call("pages:fill", count=options.size(SIZE))
            progress(f"pages, {database.name}: opening pages")
            found = database.remote.call("pages:measure", rounds=max(options.rounds, 3))
        slow = sum(row["ms"] > LIMIT_MS for row in found)
        table = Table(
            f"{database.name}, {options.size(SIZE):,} deliveries, {CHANNELS} channels: {len(found)} pages, "
            f"{slow} over {LIMIT_MS} ms",
            ["page", "ms", "slowest ms", "ms of our CPU", "queries", "KB"],
        )
        for row in found:
            times = (f"{row[each]:.0f}" for each in ("ms", "slowest", "cpu"))
            table.add(row["name"], *times, row["queries"], f"{row['kb']:.0f}")
        tables.append(table)
    return tables


# -- in the measured process --

MEMBERS = 14


def is_filled() -> bool:
    """Whether `fill` came to its end here before; the members are the last that it makes."""
    from projects.models import Membership

    return Membership.objects.count() > MEMBERS


def fill(count: int) -> None:
    """Delivered ones over months, then the other channels, events with real decisions, and rows of the other lists."""
    from django.db import connection

    from aegisnotify.clock import now
    from notifications.channels.webhook import secret
    from notifications.intake.recording import record
    from notifications.models import Channel, ChannelRecipient
    from projects.models import AuditEntry, Membership, Project, User
    from tests.benchmarks import rows

    for place, start in enumerate(range(0, count, BITE)):
        rows.fill(min(BITE, count - start), status="delivered", start=start, days_ago=place * DAYS_APART)
    workspace, shop = rows.workspace(), Project.objects.get(slug="shop")
    other = Project.objects.create(workspace=workspace, name="Docs", slug="docs")
    kinds = ("email", "slack", "webhook", "discord", "teams")
    here = shop.channels.count()
    for place in range(here, CHANNELS):
        kind, url = kinds[place % len(kinds)], f"https://hooks{place}.example.com/services/{place}"
        config = {} if kind == "email" else {"url": url} | ({"secret": secret.generate()} if kind == "webhook" else {})
        channel = Channel.objects.create(
            project=shop if place % 2 else other,
            kind=kind,
            key=f"{kind}-{place}",
            name=f"Channel {place}",
            position=place,
            config=config,
            target_host="" if kind == "email" else f"hooks{place}.example.com",
            target_fingerprint=str(place) if config else "",
        )
        if kind == "email":
            ChannelRecipient.objects.create(channel=channel, email=f"person{place}@example.com")
    for number in range(60):
        for project in (shop, other):
            run = {**rows.RUN, "id": f"real-{number}"}
            record(workspace, {"event": "run_failed", "project": project.slug, "run": run})
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                workspace=workspace,
                project_id=shop.pk,
                at=now(),
                actor_label="owner@example.com",
                source="page",
                action="project.filters_changed",
                target_type="project",
                target_id=str(shop.pk),
                target_label="Shop",
                changes={f"channel_filters.webhook-{number % 8}.run_failed": [None, False]},
            )
            for number in range(20_000)
        ],
        batch_size=2000,
    )
    for number in range(MEMBERS):
        user = User.objects.create(email=f"member{number}@example.com", email_verified_at=now())
        Membership.objects.create(workspace=workspace, user=user, role="member")
    if connection.vendor == "postgresql":
        # As autovacuum does. Nothing makes statistics on SQLite, so its plans have to be right without them.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def pages() -> list[tuple[str, str, dict[str, str] | None]]:
    """Name, address, and the form that is sent (None: it is got)."""
    from notifications.models import Delivery, Occurrence
    from notifications.selectors.places import Place
    from projects.models import ApiToken, Membership, Project

    shop = Project.objects.get(slug="shop")
    event = Occurrence.objects.filter(project=shop, source_id="real-1").get()
    delivery = Delivery.objects.filter(occurrence=event).first()
    old = Delivery.objects.order_by("pk").first()
    channel, mail = shop.channels.filter(kind="webhook").first(), shop.channels.filter(kind="email").first()
    token, member = ApiToken.objects.first(), Membership.objects.exclude(role="owner").first()
    assert delivery is not None
    assert old is not None
    assert channel is not None
    assert mail is not None
    assert token is not None
    assert member is not None
    ws, config, at = "ws=bench", "/p/shop/config", f"/p/shop/channels/{channel.pk}"
    question = "project=shop&event=scheduled_runs&result=failed"
    place, day = Place(old.created_at, old.pk), f"{old.created_at:%Y-%m-%d}"
    got = [
        ("Overview", f"/?{ws}"),
        ("Overview, 7 days", f"/?{ws}&range=7d"),
        ("Overview, 30 days", f"/?{ws}&range=30d"),
        ("Notifications", f"/notifications/?{ws}"),
        ("Notifications, 30 days", f"/notifications/?{ws}&days=30"),
        ("Notifications of a project", f"/notifications/?{ws}&project=shop"),
        ("Notifications, last page", f"/notifications/?{ws}&page=99"),
        ("Deliveries", f"/deliveries/?{ws}"),
        ("Deliveries, the oldest page", f"/deliveries/?{ws}&newer={place}"),
        ("Deliveries of a project", f"/deliveries/?{ws}&project=shop"),
        ("Deliveries that failed", f"/deliveries/?{ws}&status=failed"),
        ("Deliveries that failed, of a project", f"/deliveries/?{ws}&project=shop&status=failed"),
        ("Deliveries that failed, of a channel", f"/deliveries/?{ws}&channel={channel.key}&status=failed"),
        ("Deliveries of a rare event", f"/deliveries/?{ws}&event=ai_generated"),
        ("Deliveries of a rare event and project", f"/deliveries/?{ws}&project=shop&event=ai_generated"),
        ("Deliveries of a channel", f"/deliveries/?{ws}&project=shop&channel={channel.key}"),
        ("Deliveries of an old day", f"/deliveries/?{ws}&since={day}&until={day}"),
        ("Deliveries by run id", f"/deliveries/?{ws}&q=real-1"),
        ("Deliveries by nothing known", f"/deliveries/?{ws}&q=nothing"),
        ("Deliveries, the live part", f"/deliveries/rows?{ws}"),
        ("Held back", f"/deliveries/?{ws}&show=held_back"),
        ("Held back, of a project", f"/deliveries/?{ws}&show=held_back&project=shop"),
        ("Held back, of a rare event", f"/deliveries/?{ws}&show=held_back&event=ai_generated"),
        ("One delivery", f"/deliveries/{delivery.pk}/?{ws}"),
        ("One old delivery", f"/deliveries/{old.pk}/?{ws}"),
        ("Who was told?", f"/events/{event.pk}/why/?{ws}"),
        ("Who was told?, last page", f"/events/{event.pk}/why/?{ws}&page=99"),
        ("Ask about another event", f"/explain/?{ws}&{question}"),
        ("Usage & plan", f"/usage/?{ws}"),
        ("Projects", f"/projects/?{ws}"),
        ("Activity of a project", f"/p/shop/?{ws}"),
        ("Activity of a project, earlier", f"/p/shop/?{ws}&before={event.pk}"),
        ("Config → General", f"{config}/general/?{ws}"),
        ("Config → Integrations", f"{config}/integrations/notifications/?{ws}"),
        ("Config → Integrations, last page", f"{config}/integrations/notifications/?{ws}&page=99"),
        ("Previews", f"/p/shop/preview?{ws}"),
        ("Preview of a mail", f"/p/shop/preview/email?{ws}&event=run_failed"),
        ("Add a channel", f"/p/shop/channels/new?{ws}&kind=webhook"),
        ("One channel", f"{at}?{ws}"),
        ("One channel of mail", f"/p/shop/channels/{mail.pk}?{ws}"),
        ("Pausing a channel", f"{at}/pause?{ws}"),
        ("Recovering a channel", f"{at}/recover?{ws}"),
        ("Deleting a channel", f"{at}/delete?{ws}"),
        ("Rotating a secret", f"{at}/rotate?{ws}"),
        ("Revealing a secret", f"{at}/reveal?{ws}"),
        ("Members", f"/settings/members/?{ws}"),
        ("Removing a member", f"/settings/members/{member.pk}/remove/?{ws}"),
        ("API tokens", f"/settings/tokens/?{ws}"),
        ("Revoking a token", f"/settings/tokens/{token.pk}/revoke/?{ws}"),
        ("Audit log", f"/settings/audit/?{ws}"),
        ("Audit log, last page", f"/settings/audit/?{ws}&page=9999"),
        ("Audit log of a project", f"/settings/audit/?{ws}&project=shop"),
        ("Audit log of what never happened", f"/settings/audit/?{ws}&action=channel.deleted"),
        ("Email preferences", f"/settings/email/?{ws}"),
        ("Weekly digest, preview", f"/settings/email/weekly/preview?{ws}"),
        ("Workspace", f"/settings/workspace/?{ws}"),
        ("New workspace", "/workspaces/new/"),
        ("Profile", "/profile/"),
        ("Docs", "/docs/"),
        ("Docs, a schema", "/docs/schemas/run_failed.json"),
        ("API description", "/api/v1/schema"),
    ]
    # The last ones leave a draft behind, which `measure` takes away: with it a page has the what-if, too.
    clicks = [
        ("A click on a flag", f"/notifications/draft/flag/run_completed?{ws}", {"value": "on"}),
        (
            "A click on a cell, with what-if",
            f"/notifications/draft/cell?{ws}",
            {"cell": f"{channel.pk}:run_failed:off"},
        ),
    ]
    with_draft = ("Notifications with a draft, 30 days", f"/notifications/?{ws}&days=30", None)
    return [*((name, address, None) for name, address in got), *clicks, with_draft]


def measure(rounds: int) -> list[dict[str, Any]]:
    from django.core.cache import cache
    from django.test import Client

    from notifications.models import FilterDraft
    from notifications.services.hours import count_hours
    from projects.models import User
    from tests.benchmarks import plans

    # As gunicorn does: it loads all views, and keeps them out of the search for garbage.
    import_module("aegisnotify.wsgi")
    # The worker's turns.
    while count_hours():
        pass
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(email="owner@example.com"))
    found = []
    for name, address, form in pages():
        # A form is sent by htmx, as a browser does.
        send = partial(client.get, address) if form is None else partial(client.post, address, form, headers=_HTMX)
        response = send()
        assert response.status_code == 200, (address, response.status_code)
        times, busy = [], []
        for _ in range(rounds):
            # Every time as the first one in a while: what is counted once a minute is counted.
            cache.clear()
            begun, begun_cpu = time.perf_counter(), time.process_time()
            size = len(send().content)
            times.append((time.perf_counter() - begun) * 1000)
            busy.append((time.process_time() - begun_cpu) * 1000)
        with plans.watched() as statements:
            cache.clear()
            send()
        found.append(
            {
                "name": name,
                "ms": statistics.median(times),
                "slowest": max(times),
                "cpu": statistics.median(busy),
                "queries": len(statements.made),
                "kb": size / 1024,
            }
        )
    FilterDraft.objects.all().delete()
    return found
