"""Whether claiming and settling cost more when the table has grown: 10,000, 100,000 and 1,000,000 deliveries."""

import contextlib
import statistics
import time

from tests.benchmarks.harness import Options, Table, median, postgresql, progress, ratio, sqlite

SIZES = (10_000, 100_000, 1_000_000)
BATCH, BITE = 200, 24


def run(options: Options) -> list[Table]:
    table = Table(
        f"Growth: ms for claiming {BATCH} and for settling {BITE} deliveries with their attempts",
        ["database", *(f"{size:,}" for size in SIZES), "÷ smallest"],
    )
    for opened in (postgresql, sqlite):
        with contextlib.ExitStack() as stack:
            databases = [stack.enter_context(opened(f"_{size}")) for size in SIZES]
            for database, size in zip(databases, SIZES, strict=True):
                progress(f"growth, {database.name}: filling {options.size(size):,} rows")
                database.remote.call("rows:project", slug="shop", ports=list(range(9001, 9009)))
                database.remote.call("growth:fill", count=options.size(size))
            claims: dict[int, list[float]] = {size: [] for size in SIZES}
            settles: dict[int, list[float]] = {size: [] for size in SIZES}
            for number in range(2 * options.rounds + 1):
                for database, size in zip(databases, SIZES, strict=True):
                    claim, settle = database.remote.call("growth:measure", start=options.size(size) + 2000 * number)
                    if number:
                        claims[size].append(claim)
                        settles[size].append(settle)
                progress(f"growth, {databases[0].name}, round {number}: {claim:.1f} and {settle:.1f} ms at the largest")
            for what, costs in (("claim", claims), ("settle", settles)):
                table.add(
                    f"{databases[0].name}, {what}",
                    *(f"{median(costs[size]):.1f}" for size in SIZES),
                    f"{ratio(costs[SIZES[-1]], costs[SIZES[0]]):.2f}",
                )
    return [table]


# -- in the measured process --


def fill(count: int) -> None:
    """Finished deliveries, in bites that fit into memory and statement timeouts."""
    from tests.benchmarks import rows

    for start in range(0, count, 50_000):
        rows.fill(min(50_000, count - start), status="delivered", start=start)


def measure(start: int) -> tuple[float, float]:
    """2,000 more deliveries, claimed and settled; the medians in ms."""
    import uuid

    from aegisnotify.clock import now
    from notifications.delivery import outbox
    from notifications.delivery.outbox import Settled
    from notifications.models import Attempt, DeliveryStatus
    from tests.benchmarks import rows

    rows.fill(2000, start=start)
    token, claims, settles = uuid.uuid4(), [], []
    while True:
        began = time.perf_counter()
        claimed = outbox.claim(BATCH, token, now())
        claims.append(time.perf_counter() - began)
        if not claimed:
            break
        for place in range(0, len(claimed), BITE):
            moment, part = now(), claimed[place : place + BITE]
            settled = [Settled(row.pk, DeliveryStatus.DELIVERED, 0, None, delivered_at=moment) for row in part]
            attempts = [
                Attempt(delivery_id=row.pk, number=1, at=moment, status_code=200, outcome="ok", response="ok")
                for row in part
            ]
            began = time.perf_counter()
            outbox.settle(token, settled, attempts)
            settles.append(time.perf_counter() - began)
    return statistics.median(claims[:-1]) * 1000, statistics.median(settles) * 1000
