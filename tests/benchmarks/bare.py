"""Posting without any of us: what the same threads reach when nothing is stored."""

import itertools
import json
import threading

import requests

from tests.benchmarks.harness import RUN


def post(ports: list[int], count: int, threads: int) -> None:
    """`count` posts to the ports in turn, each thread with a `requests.Session` of its own."""

    body = json.dumps({"event": "run_failed", "timestamp": "2026-04-28T10:42:11Z", "run": RUN}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "bench", "X-Signature": "sha256=" + "0" * 64}
    numbers = itertools.count()

    def work() -> None:
        with requests.Session() as session:
            while (number := next(numbers)) < count:
                url = f"http://127.0.0.1:{ports[number % len(ports)]}/hook/{number % len(ports)}"
                session.post(url, data=body, headers=headers, timeout=15).raise_for_status()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
