"""What a host that takes requests and never answers costs the others: four healthy hosts, with and without it."""

from tests.benchmarks import engines
from tests.benchmarks.harness import Database, Options, Table, median, postgresql, progress, ratio, sqlite, wait_until
from tests.benchmarks.receiver import Receiver, receiver


def run(options: Options) -> list[Table]:
    table = Table(
        "One dead host of five: deliveries per second to the healthy four",
        ["database", "without it", "with it", "ratio"],
    )
    count = options.size(3000)
    with receiver(4) as to:
        for opened in (postgresql, sqlite):
            with opened() as database:
                without, beside = [], []
                for number in range(options.rounds + 1):
                    rates = _rate(to, database, to.ports, count), _rate(to, database, [*to.ports, to.dead_port], count)
                    progress(f"dead host, {database.name}, round {number}: {rates[0]:,.0f}/s, {rates[1]:,.0f}/s")
                    if number:
                        without.append(rates[0])
                        beside.append(rates[1])
                table.add(
                    database.name,
                    f"{median(without):,.0f}",
                    f"{median(beside):,.0f}",
                    f"{ratio(beside, without):.2f}",
                )
    return [table]


def _rate(to: Receiver, database: Database, ports: list[int], healthy: int) -> float:
    """Each port gets the same share; the process is ended when the healthy ones have theirs."""
    database.remote.call("rows:project", slug="shop", ports=ports)
    database.remote.call("rows:refill", count=healthy * len(ports) // len(to.ports))
    to.reset()
    remote = database.another()
    remote.start(engines.drain)
    wait_until(lambda: to.count() >= healthy, "the healthy hosts")
    remote.kill()
    first, last = to.span()
    return (to.count() - 1) / (last - first)
