"""How many events a process accepts, one by one and in batches, beside a view that does one INSERT.

All of it goes through Django's WSGI handler in one process, one request after the other: the web server in front
would cost both sides the same and only blur the ratio. An event makes five deliveries.
"""

import io
import itertools
import json
import time
from functools import cache
from typing import Any

from tests.benchmarks.harness import RUN, TOKEN, Database, Options, Table, median, postgresql, progress, ratio, sqlite

KINDS = ["webhook", "webhook", "slack", "discord", "teams"]
BATCH = 100


def run(options: Options) -> list[Table]:
    table = Table(
        "Accepting: events per second of one process, an event with five deliveries",
        [
            "database",
            "one by one",
            "batches of 100",
            "one INSERT",
            "bare INSERT",
            "÷ one INSERT",
            "÷ bare INSERT",
            "batch ÷ single",
        ],
    )
    for opened in (postgresql, sqlite):
        with opened() as database:
            table.add(database.name, *_measure(database, options))
    return [table]


def _measure(database: Database, options: Options) -> list[str]:
    workspace, project = database.remote.call(prepare)
    count = options.size(500)
    plain = {"workspace": workspace, "project": project, "count": count}
    rates: dict[str, list[float]] = {"single": [], "batch": [], "one": [], "bare": []}
    for number in range(options.rounds + 1):
        round_rates = {
            "one": count / database.remote.call(post_plain, path="/bench/one-insert", **plain),
            "single": count / database.remote.call(post_single, count=count),
            "bare": count / database.remote.call(post_plain, path="/bench/bare-insert", **plain),
            "batch": 4 * count / database.remote.call(post_batches, count=4 * count),
        }
        progress(
            f"accepting, {database.name}, round {number}: "
            + ", ".join(f"{k} {v:.0f}/s" for k, v in round_rates.items())
        )
        if number:  # the first one warms up
            for name, value in round_rates.items():
                rates[name].append(value)
    return [
        *(f"{median(rates[name]):,.0f}" for name in ("single", "batch", "one", "bare")),
        f"{ratio(rates['single'], rates['one']):.2f}",
        f"{ratio(rates['single'], rates['bare']):.2f}",
        f"{ratio(rates['batch'], rates['single']):.1f}",
    ]


# -- in the measured process --

_numbers = itertools.count()


def prepare() -> tuple[int, str]:
    from tests.benchmarks import rows

    return rows.workspace().pk, rows.project("shop", [9] * len(KINDS), KINDS)


def post_plain(path: str, workspace: int, project: str, count: int) -> float:

    bodies = [
        json.dumps({"project": project, "kind": "run", "source_id": f"plain-{next(_numbers)}", "facts": RUN}).encode()
        for _ in range(count)
    ]
    return _timed(path, bodies, 201, HTTP_X_WORKSPACE=str(workspace))


def post_single(count: int) -> float:
    return _timed("/api/v1/events", [json.dumps(_event()).encode() for _ in range(count)], 202)


def post_batches(count: int) -> float:
    bodies = [json.dumps({"events": [_event() for _ in range(BATCH)]}).encode() for _ in range(count // BATCH)]
    return _timed("/api/v1/events/batch", bodies, 200)


def _event() -> dict[str, Any]:

    return {"event": "run_failed", "project": "shop", "run": RUN | {"id": f"run-{next(_numbers)}"}}


def _timed(path: str, bodies: list[bytes], expected: int, **headers: str) -> float:
    started = time.perf_counter()
    for body in bodies:
        status = _post(path, body, headers)
        assert status == expected, status
    return time.perf_counter() - started


@cache
def _handler() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _post(path: str, body: bytes, headers: dict[str, str]) -> int:
    statuses: list[str] = []
    answer = _handler()(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            **headers,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        },
        lambda status, headers, error=None: statuses.append(status),
    )
    for _ in answer:
        pass
    answer.close()
    return int(statuses[0].split()[0])
